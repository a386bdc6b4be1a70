import { BackendUnavailableError } from '../../core/errors.ts'
import type { PublishEvent } from '../../core/tunnels/events.ts'
import type { Published, Publisher } from '../daemon/publisher.ts'
import type { Lifetime } from '../lifetime.ts'
import { isLost } from '../publish-session.ts'
import { Carriers, type Hold } from './carriers.ts'
import { changesTo, type Declaration, type Declared } from './declared.ts'

/** What a session works with. */
export interface WatchSetup {
  /** Opens a publisher; `lost`: the daemon is gone, this process has to carry on. */
  readonly open: (lost: boolean) => Promise<Publisher>
  readonly onEvent: (event: PublishEvent) => void
  readonly lifetime: Lifetime
  /** Told of a tunnel that could not be published, while the others go on. */
  readonly onFailure: (name: string, error: unknown) => void
}

/** A declared tunnel that is published or on its way; or that was ended by somebody and waits for a change of its declaration. */
interface Running {
  readonly key: string
  /** Ends the attempt to publish it. */
  readonly attempt: AbortController
  /** Undefined when it could not be published. */
  started: Promise<{ readonly published: Published; readonly hold: Hold } | undefined>
  ended: boolean
}

/** Publishes what a file declares, and follows its changes: what did not change is not touched. */
export class WatchSession implements AsyncDisposable {
  readonly #setup: WatchSetup
  readonly #carriers: Carriers
  readonly #running = new Map<string, Running>()
  #declaration: Declaration | undefined
  #lost = false
  #work: Promise<void> = Promise.resolve()
  #end: (error?: unknown) => void = () => {}
  /** Resolves when the command is to end: somebody ended its last tunnel. Rejects when the daemon ended. */
  readonly ended: Promise<void>

  constructor(setup: WatchSetup) {
    this.#setup = setup
    this.#carriers = new Carriers(() => setup.open(this.#lost))
    this.ended = new Promise((resolve, reject) => {
      this.#end = (error) => (error === undefined ? resolve() : reject(error))
    })
    this.ended.catch(() => {})
  }

  /**
   * Makes what runs what is declared. Resolves when what is to end has ended; what is to begin does so in the background, since a network
   * may take minutes. Calls follow one another.
   */
  apply(declaration: Declaration): Promise<void> {
    this.#work = this.#work.then(() => this.#apply(declaration))
    return this.#work
  }

  get size(): number {
    return [...this.#running.values()].filter(({ ended }) => !ended).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work
    const reason = this.#setup.lifetime.signal.aborted ? (this.#setup.lifetime.signal.reason as Error).message : 'the command ends'
    await Promise.allSettled([...this.#running.keys()].map((name) => this.#stop(name, reason)))
    await this.#carriers[Symbol.asyncDispose]()
  }

  async #apply(declaration: Declaration): Promise<void> {
    const { signal } = this.#setup.lifetime
    if (signal.aborted) return
    this.#declaration = declaration
    const { gone, changed, fresh } = changesTo(declaration, new Map([...this.#running].map(([name, { key }]) => [name, key])))
    await Promise.all([
      ...gone.map((name) => this.#stop(name, 'it is not declared any more')),
      ...changed.map(({ name }) => this.#stop(name, 'its declaration changed')),
    ])
    for (const declared of [...changed, ...fresh]) this.#start(declared, declaration)
  }

  #start(declared: Declared, declaration: Declaration): void {
    const running: Running = { key: declared.key, attempt: new AbortController(), started: Promise.resolve(undefined), ended: false }
    this.#running.set(declared.name, running)
    running.started = this.#publish(declared, declaration, running)
  }

  async #publish({ name, service, settings }: Declared, { settings: whole }: Declaration, running: Running): Running['started'] {
    const { onEvent, lifetime, onFailure } = this.#setup
    const signal = AbortSignal.any([lifetime.signal, running.attempt.signal])
    let hold: Hold | undefined
    try {
      hold = await this.#carriers.hold(settings, whole)
      const published = await hold.publisher.publish(service.target, { ...service.options, onEvent, signal })
      published.ended.then(
        (end) => this.#onEnd(name, running, end === 'daemon' ? daemonEnded() : undefined),
        (error: unknown) => this.#onEnd(name, running, error),
      )
      return { published, hold }
    } catch (error) {
      await hold?.release()
      // Declared as it is, it is tried again with the next change of the file.
      if (this.#running.get(name) === running) this.#running.delete(name)
      if (isLost(error)) this.#onLost()
      else if (!signal.aborted) onFailure(name, error)
      return undefined
    }
  }

  async #stop(name: string, reason: string): Promise<void> {
    const running = this.#running.get(name)
    if (running === undefined) return
    this.#running.delete(name)
    running.attempt.abort(new Error(reason))
    const started = await running.started
    if (started === undefined) return
    if (!running.ended) await started.published.stop(reason).catch((error: unknown) => this.#setup.onFailure(name, error))
    await started.hold.release()
  }

  /** A tunnel ended, and not because of the file. */
  #onEnd(name: string, running: Running, error: unknown): void {
    if (this.#running.get(name) !== running) return
    if (isLost(error)) return this.#onLost()
    running.ended = true
    if (error !== undefined) this.#end(error)
    else if (this.size === 0) this.#end()
  }

  /** The daemon is gone without a word: everything is published again by this process. */
  #onLost(): void {
    if (this.#lost || this.#setup.lifetime.signal.aborted) return
    this.#lost = true
    this.#setup.onEvent({
      event: 'warning',
      code: 'BEAM_WARN_DAEMON_LOST',
      message:
        'The daemon is gone, so this command carries its tunnels itself. Those with a name keep their address; the others get a new one.',
    })
    this.#work = this.#work.then(async () => {
      this.#running.clear()
      await this.#carriers.renew()
      if (this.#declaration !== undefined) await this.#apply(this.#declaration)
    })
  }
}

function daemonEnded(): BackendUnavailableError {
  return new BackendUnavailableError('The daemon ended, and with it what it carried.', { code: 'BEAM_ERR_DAEMON' })
}
