import { writeFile, readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  BackendUnavailableError,
  backoffDelayMs,
  sleep,
  type BeamPaths,
  type Clock,
  type Logger,
  type Progress,
} from '../../../core/index.ts'
import type { SamEndpoint } from '../sam/connection.ts'
import { askSam } from './attached-router.ts'
import { i2pdConfig } from './i2pd-config.ts'
import { findCertificates, versionOf } from './program.ts'
import type { Router, RouterInfo } from './router.ts'
import { takeSlot, type Slot } from './slot.ts'
import { WatchedProcess } from './watchdog.ts'

/** i2pd opens SAM within a second; a loaded machine and a large folder take longer. */
const SAM_LIMIT_MS = 30_000
const SAM_POLL_MS = 100
/** Waits before a router that ended by itself is started again. */
const RESTART = { baseMs: 1_000, maxMs: 60_000 } as const

/** What a private router is made of. */
export interface PrivateRouterSetup {
  readonly program: string
  readonly reseed: boolean
  /** Further options of i2pd: `netid` → `77`. */
  readonly options: Readonly<Record<string, string>>
  readonly paths: BeamPaths
  readonly clock: Clock
  readonly logger: Logger
}

/** An i2pd of our own: with a folder that it keeps, without anything that others could use, and gone when Beam is. */
export class PrivateRouter implements Router {
  readonly #setup: PrivateRouterSetup
  readonly #ended = new AbortController()
  #slot: Slot | undefined
  #process: WatchedProcess | undefined
  #up: Promise<SamEndpoint> | undefined
  #at: SamEndpoint | undefined
  #version: string | undefined
  #samVersion: string | undefined
  #restarts = 0

  constructor(setup: PrivateRouterSetup) {
    this.#setup = setup
  }

  async start({
    signal,
    onProgress,
  }: {
    signal?: AbortSignal | undefined
    onProgress?: ((progress: Progress) => void) | undefined
  }): Promise<void> {
    const { program, paths } = this.#setup
    this.#version = await versionOf(program)
    signal?.throwIfAborted()
    this.#slot = await takeSlot(paths)
    onProgress?.({ phase: 'router', message: `Starting a private I2P router (i2pd ${this.#version ?? ''}) …` })
    this.#up = this.#launch(signal === undefined ? this.#ended.signal : AbortSignal.any([signal, this.#ended.signal]))
    await this.#up
  }

  async sam(signal: AbortSignal): Promise<SamEndpoint> {
    signal.throwIfAborted()
    const up = this.#up
    if (up === undefined) throw new BackendUnavailableError('The private I2P router is not running.')
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      up.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    })
  }

  info(): RouterInfo {
    const at = this.#at
    return {
      mode: 'private',
      restarts: this.#restarts,
      ...(at === undefined ? {} : { sam: `${at.host}:${at.port}` }),
      ...(this.#samVersion === undefined ? {} : { samVersion: this.#samVersion }),
      ...(this.#version === undefined ? {} : { version: this.#version }),
      ...(this.#process?.pid === undefined ? {} : { pid: this.#process.pid }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new BackendUnavailableError('The private I2P router was stopped.'))
    await this.#process?.stop()
    await this.#up?.catch(() => {})
    await this.#slot?.lock[Symbol.asyncDispose]()
  }

  async #launch(signal: AbortSignal): Promise<SamEndpoint> {
    const { program, reseed, options, logger, clock } = this.#setup
    const { folder } = this.#slot as Slot
    const at = { host: '127.0.0.1', port: await freePort() }
    signal.throwIfAborted()
    await writeFile(join(folder, 'i2pd.conf'), i2pdConfig({ folder, samPort: at.port, reseed, options }), { mode: 0o600 })
    await writeFile(join(folder, 'tunnels.conf'), '', { mode: 0o600 })
    const certificates = (await findCertificates(program)) ?? join(folder, 'certificates')
    const args = [
      `--conf=${join(folder, 'i2pd.conf')}`,
      `--datadir=${folder}`,
      `--tunconf=${join(folder, 'tunnels.conf')}`,
      `--tunnelsdir=${join(folder, 'tunnels.d')}`,
      `--certsdir=${certificates}`,
    ]
    signal.throwIfAborted()
    const child = (this.#process = new WatchedProcess(program, args, folder))
    try {
      await this.#untilSam(at, child, signal)
    } catch (error) {
      await child.stop()
      throw error
    }
    logger.debug('private router up', { port: at.port })
    this.#at = at
    void child.ended.then(() => this.#onExit(clock))
    return at
  }

  async #untilSam(at: SamEndpoint, child: WatchedProcess, signal: AbortSignal): Promise<void> {
    const { clock, program } = this.#setup
    const deadline = clock.monotonic() + SAM_LIMIT_MS
    for (;;) {
      await sleep(SAM_POLL_MS, { clock, signal })
      try {
        this.#samVersion = await askSam(at, { clock, signal })
        return
      } catch (cause) {
        signal.throwIfAborted()
        if (child.running && clock.monotonic() < deadline) continue
        const log = await this.#lastLogLine()
        const what = child.running ? `opened no SAM port within ${SAM_LIMIT_MS / 1_000} s` : 'ended as soon as it was started'
        throw new BackendUnavailableError(`The private I2P router (${program}) ${what}.`, {
          hint: log === '' ? undefined : `It said: ${log}`,
          cause,
        })
      }
    }
  }

  /** A router that ended by itself is started again, after a wait that grows. */
  #onExit(clock: Clock): void {
    if (this.#ended.signal.aborted) return
    const { signal } = this.#ended
    const waitMs = RESTART.baseMs + backoffDelayMs(this.#restarts, RESTART)
    this.#restarts++
    this.#at = undefined
    this.#setup.logger.warn('private I2P router ended', { againInMs: waitMs })
    const up = (async () => {
      await sleep(waitMs, { clock, signal })
      return this.#launch(signal)
    })()
    this.#up = up
    up.catch(() => {
      if (!signal.aborted && this.#up === up) this.#onExit(clock)
    })
  }

  async #lastLogLine(): Promise<string> {
    const { folder } = this.#slot as Slot
    const text = await readFile(join(folder, 'i2pd.log'), 'utf8').catch(() => '')
    return text.trimEnd().split('\n').at(-1)?.slice(-300) ?? ''
  }
}

/** A port that is free now. i2pd takes none by itself, and uses the UDP port below it too. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
