/**
 * A lock between processes of one user that ends with the process, also by kill -9. Node has no flock(2), so a lock is a unix socket: who
 * listens holds it, and what refuses connections is dead.
 *
 * Removing a dead socket and binding the same path again cannot be done in one step, so two starters could remove each other's. Therefore
 * every contender binds a path of its own (`<subject>-<random ticket>`, never used again, so removing a dead one is always right), and only
 * then looks for others. Of two contenders at least one sees the other. A holder wins over everybody; among contenders the lower ticket
 * waits until the higher one has given up or turns out to hold the lock already, and the higher one gives up.
 *
 * Between bind and listen a socket looks dead and can be removed by mistake: a contender that no longer finds its path begins anew. Whoever
 * removed it was listening before and is thus seen, and waited for, so that nothing is removed after that last look.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, unlink } from 'node:fs/promises'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { systemClock } from '../clock.ts'
import { ConfigError } from '../errors.ts'
import type { BeamPaths } from '../paths.ts'

/** Longest path of a unix socket: 104 bytes on macOS with the closing NUL, a few more on Linux. Longer ones are cut off in silence. */
const MAX_SOCKET_PATH_BYTES = 103
/** Bytes of hashes and tickets, written as hexadecimal: 2^48 tickets do not repeat, and the path stays short. */
const ID_BYTES = 6
/** How long a silent owner is waited for. It answers in milliseconds unless it is stopped (Ctrl-Z) or very busy: then it counts as holder. */
const ANSWER_TIMEOUT_MS = 3000
/** More than the longest answer: `held` and a process id. */
const MAX_ANSWER_BYTES = 64
/** Beginning anew takes a coincidence of microseconds; so many in a row mean that something else removes the sockets. */
const MAX_ROUNDS = 20

/** What came of trying: the lock, or the process that holds it (0 = unknown). */
export type LockResult = { readonly lock: AsyncDisposable } | { readonly heldBy: number }

/**
 * Tries once to take the lock for a subject (any text). It holds among the processes on this machine that share the runtime folder.
 * @throws ConfigError when the runtime folder cannot be used for sockets.
 */
export async function tryProcessLock(paths: Pick<BeamPaths, 'runtime'>, subject: string): Promise<LockResult> {
  const id = createHash('sha256')
    .update('beam lock\0')
    .update(subject)
    .digest('hex')
    .slice(0, 2 * ID_BYTES)
  if (process.platform === 'win32') return tryPipe(paths.runtime, id)
  const folder = join(paths.runtime, 'locks')
  try {
    const longest = join(folder, `${id}-${'0'.repeat(2 * ID_BYTES)}`)
    if (Buffer.byteLength(longest) > MAX_SOCKET_PATH_BYTES) throw new Error('its path is too long for a socket')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const result = await contend(folder, id)
      if (result !== undefined) return result
    }
  } catch (cause) {
    throw new ConfigError(`The runtime folder ${paths.runtime} cannot be used for locks: ${(cause as Error).message}.`, {
      hint: 'Set BEAM_HOME to a short path of a folder that you can write to.',
      cause,
    })
  }
  return { heldBy: 0 }
}

/** One round; undefined = begin anew. */
async function contend(folder: string, id: string): Promise<LockResult | undefined> {
  const own = `${id}-${randomBytes(ID_BYTES).toString('hex')}`
  const contender = await Contender.listen(join(folder, own))
  let won = false
  try {
    const others = (await readdir(folder)).filter((name) => name.startsWith(`${id}-`) && name !== own)
    // All of them are asked to the end, also when one holds the lock: nothing may be removed after this contender has left.
    const answers = await Promise.all(others.map((other) => ask(join(folder, other), { yields: other < own })))
    const holder = answers.find((answer) => answer !== undefined)
    if (holder !== undefined) return { heldBy: holder }
    if (!(await readdir(folder)).includes(own)) return undefined
    won = true
    contender.hold()
    return { lock: contender }
  } finally {
    if (!won) await contender[Symbol.asyncDispose]()
  }
}

/** A listening socket that tells who asks whether the lock is held: at once when it is, else as soon as that is decided. */
class Contender implements AsyncDisposable {
  readonly #server: Server
  readonly #waiting = new Set<Socket>()
  #held = false

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.#answer(socket))
    // A lock must not keep the process alive.
    server.unref()
  }

  static async listen(path: string): Promise<Contender> {
    const server = createServer()
    const contender = new Contender(server)
    await listening(server, path)
    return contender
  }

  hold(): void {
    this.#held = true
    for (const socket of this.#waiting) socket.end(`held ${process.pid}\n`)
  }

  /** Gives the lock up. Closing the server removes the socket's path as well. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#waiting) socket.destroy()
    await closed
  }

  #answer(socket: Socket): void {
    this.#waiting.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#waiting.delete(socket))
    socket.unref()
    socket.resume()
    if (this.#held) socket.end(`held ${process.pid}\n`)
    else socket.write('contending\n')
  }
}

/**
 * Asks the owner of a socket. Undefined = it is dead (and removed now) or has given up; else the process id of who holds the lock or, when
 * this side yields to contenders, may come to hold it (0 = unknown).
 */
function ask(path: string, { yields }: { readonly yields: boolean }): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    let text = ''
    const done = (answer: number | undefined): void => {
      cancelTimer()
      socket.destroy()
      resolve(answer)
    }
    const gone = (): void => done(undefined)
    const cancelTimer = systemClock.after(ANSWER_TIMEOUT_MS, () => done(0))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const held = /^held (\d{1,10})\n/m.exec(text)
      if (held !== null) done(Number(held[1]))
      else if (text.length > MAX_ANSWER_BYTES || (yields && text.startsWith('contending\n'))) done(0)
    })
    socket.on('close', gone)
    socket.on('error', (problem: NodeJS.ErrnoException) => {
      // `close` follows, and must not end this before the dead socket is removed.
      socket.off('close', gone)
      cancelTimer()
      if (problem.code === 'ECONNREFUSED') unlink(path).then(gone, gone)
      // Reset: it closed while we asked. Anything else (no permission, full queue) means that somebody is there.
      else done(['ENOENT', 'ECONNRESET', 'EPIPE'].includes(problem.code ?? '') ? undefined : 0)
    })
  })
}

/** Windows ends a named pipe with its process and refuses a second server of one name, so the pipe is the lock. */
async function tryPipe(runtime: string, id: string): Promise<LockResult> {
  const place = createHash('sha256')
    .update(runtime.toLowerCase())
    .digest('hex')
    .slice(0, 2 * ID_BYTES)
  try {
    const contender = await Contender.listen(`\\\\.\\pipe\\beam-${place}-${id}`)
    contender.hold()
    return { lock: contender }
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return { heldBy: 0 }
    throw error
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
