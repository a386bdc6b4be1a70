import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A folder for keys and state that nobody needs afterwards. Disposing removes it, and the end of the process does so once more: what was
 * broken off in the middle still writes what it was about to write.
 */
export async function temporaryHome(): Promise<{ readonly path: string } & AsyncDisposable> {
  // Short, because paths of unix sockets below it may have 104 bytes.
  const path = await mkdtemp(join(tmpdir(), 'beam-'))
  const remove = { recursive: true, force: true, maxRetries: 3 } as const
  process.once('exit', () => rmSync(path, remove))
  return { path, [Symbol.asyncDispose]: () => rm(path, remove) }
}
