import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket as UdpSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { Server, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { BackendUnavailableError } from '../../../core/index.ts'
import { searchPath } from './privileges.ts'
import type { InsideAnswer, InsideRequest } from './protocol.ts'
import { openUdp } from './udp-port.ts'

/** What the process says before it ends, at most. */
const MAX_OUTPUT_BYTES = 8 * 1024
/** It has ended as soon as the channel is closed; WireGuard and BIRD end with it. */
const STOP_LIMIT_MS = 5_000

interface Waiting {
  resolve(answer: { readonly value: unknown; readonly handle: unknown }): void
  reject(error: Error): void
}

/** Beam's process inside the namespace, from outside. */
export class InsideProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #id = 0
  #said = ''
  /** Resolves when it has ended, and everything in the namespace with it. */
  readonly ended: Promise<void>

  /** @param command makes the namespace, or enters one, and runs the program there */
  constructor(command: (program: readonly string[]) => readonly string[], env: NodeJS.ProcessEnv = process.env) {
    // From the sources under a loader, from dist without one: the file beside this one has the same ending.
    const main = fileURLToPath(new URL(`./inside/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))
    const [program = '', ...args] = command([process.execPath, ...process.execArgv, main])
    // A process group of its own: Ctrl-C is for Beam, which then ends this in order. Descriptor 3 is the namespace's, 4 the channel.
    this.#child = spawn(program, args, {
      env: { ...env, PATH: searchPath(env) },
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', 'ipc'],
      detached: true,
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-MAX_OUTPUT_BYTES)))
    this.#child.on('message', (message: InsideAnswer, handle: unknown) => this.#answered(message, handle))
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#said += error.message
        resolve()
      })
      // Not 'close': that waits for a channel which this side has closed itself.
      this.#child.on('exit', () => resolve())
    })
    void this.ended.then(() => {
      const error = this.#gone()
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
    })
  }

  /** The first process in the namespace, as it is numbered out here. */
  async firstPid(): Promise<number> {
    const { pid = 0 } = this.#child
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return Number(children.trim().split(' ')[0])
  }

  /** Asks, and waits for the answer. @throws NodeJS.ErrnoException of the inside, BackendUnavailableError when it is gone */
  async ask<T>(request: InsideRequest, handle?: UdpSocket): Promise<T> {
    return (await this.#exchange(request, handle)).value as T
  }

  /** A listening socket of the mesh. */
  async listen(host: string, port: number): Promise<Server> {
    const { handle } = await this.#exchange({ op: 'listen', host, port })
    if (handle instanceof Server) return handle
    throw new BackendUnavailableError('The mesh passed no listening socket.')
  }

  /** A connection through the mesh. When nobody waits for it any more, it is closed as soon as it comes. */
  async connect(host: string, port: number, signal: AbortSignal | undefined): Promise<Socket> {
    signal?.throwIfAborted()
    const dialled = this.#exchange({ op: 'dial', host, port }).then(({ handle }) => {
      if (!(handle instanceof Socket)) throw new BackendUnavailableError('The mesh passed no connection.')
      // Passed sockets come with Node's default, and nothing has been read yet.
      handle.allowHalfOpen = true
      handle.setNoDelay(true)
      return handle
    })
    if (signal === undefined) return dialled
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        void dialled.then(
          (socket) => socket.on('error', () => {}).destroy(),
          () => {},
        )
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      dialled.then(
        (socket) => {
          signal.removeEventListener('abort', onAbort)
          if (!signal.aborted) resolve(socket)
        },
        (error: unknown) => {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      )
    })
  }

  /** Passes a UDP socket of this side for a link's packets. @throws NodeJS.ErrnoException when the port is taken */
  async offer(name: string, port: number): Promise<void> {
    const socket = await openUdp(port)
    try {
      await this.ask({ op: 'socket', interface: name }, socket)
    } finally {
      socket.close()
    }
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS)
    await this.ended
    clearTimeout(timer)
    // The pipe may be open for a moment longer than its writers.
    this.#child.stderr?.destroy()
  }

  #exchange(request: InsideRequest, handle?: UdpSocket): Promise<{ readonly value: unknown; readonly handle: unknown }> {
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(this.#gone())
      const id = ++this.#id
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ ...request, id }, handle, (error) => {
        if (error === null) return
        this.#waiting.delete(id)
        reject(this.#gone())
      })
    })
  }

  #answered(message: InsideAnswer, handle: unknown): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if ('error' in message) waiting?.reject(Object.assign(new Error(message.error.message), { code: message.error.code }))
    else waiting?.resolve({ value: message.value, handle })
  }

  #gone(): BackendUnavailableError {
    const said = this.#said.trim().slice(-500)
    return new BackendUnavailableError(`The namespace of the mesh has ended${said === '' ? '' : `: ${said}`}.`)
  }
}
