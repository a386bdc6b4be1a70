import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../../core/clock.ts'

/** What was broken off in the middle writes what it was about to write; it has this often this long for that. */
const ROUNDS = 10
const ROUND_MS = 50

/** A folder for keys and state that nobody needs afterwards; disposing removes it. */
export async function temporaryHome(): Promise<{ readonly path: string } & AsyncDisposable> {
  // Short, because paths of unix sockets below it may have 104 bytes.
  const path = await mkdtemp(join(tmpdir(), 'beam-'))
  return { path, [Symbol.asyncDispose]: () => remove(path) }
}

async function remove(path: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
    await sleep(ROUND_MS)
    const isBack = await stat(path).then(
      () => true,
      () => false,
    )
    if (!isBack) return
  }
}
