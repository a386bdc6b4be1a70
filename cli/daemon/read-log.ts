import { open, stat } from 'node:fs/promises'
import { sleep } from '../../core/clock.ts'

/** How much of the end of the file is looked at for the last lines. */
const MAX_TAIL_BYTES = 4 * 1024 * 1024
/** How often a followed file is looked at, in milliseconds: fast for people, and no load. */
const POLL_MS = 300
/** Most that is read at once. */
const CHUNK_BYTES = 256 * 1024

/** The last lines of a log file, and with `follow` those that are written until the signal fires, also after the file was rotated. */
export async function* readLog(
  path: string,
  options: { readonly lines: number; readonly follow?: AbortSignal },
): AsyncGenerator<string, void, void> {
  const { lines, follow } = options
  let { inode, size } = await look(path)
  const tail = (await read(path, Math.max(0, size - MAX_TAIL_BYTES), size)).toString('utf8')
  const end = tail.lastIndexOf('\n') + 1
  const whole = tail.slice(0, end).split('\n').slice(0, -1)
  yield* lines === 0 ? [] : whole.slice(-lines)
  let position = size - Buffer.byteLength(tail.slice(end))
  while (follow !== undefined && !follow.aborted) {
    await sleep(POLL_MS, { signal: follow }).catch(() => {})
    const now = await look(path)
    if (now.inode !== inode || now.size < position) position = 0
    ;({ inode, size } = now)
    const bytes = await read(path, position, Math.min(size, position + CHUNK_BYTES))
    const last = bytes.lastIndexOf(10) + 1
    position += last
    yield* bytes.subarray(0, last).toString('utf8').split('\n').slice(0, -1)
  }
}

async function look(path: string): Promise<{ readonly inode: number; readonly size: number }> {
  const found = await stat(path).catch(() => undefined)
  return { inode: found?.ino ?? 0, size: found?.size ?? 0 }
}

async function read(path: string, from: number, to: number): Promise<Buffer> {
  if (to <= from) return Buffer.alloc(0)
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return Buffer.alloc(0)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
