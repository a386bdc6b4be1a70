import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for keys and state that nobody needs afterwards; disposing removes it. */
export async function temporaryHome(): Promise<{ readonly path: string } & AsyncDisposable> {
  // Short, because paths of unix sockets below it may have 104 bytes.
  const path = await mkdtemp(join(tmpdir(), 'beam-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}
