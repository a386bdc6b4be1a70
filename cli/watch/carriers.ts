import type { Publisher } from '../daemon/publisher.ts'

/** One who carries tunnels, with the settings that it was made with. */
interface CarrierOf {
  readonly publisher: Publisher
  /** Settings of the whole file, and of the tunnels that it serves: what it is good for. */
  readonly settings: Set<string>
  users: number
}

/** A publisher in use, until it is released. */
export interface Hold {
  readonly publisher: Publisher
  release(): Promise<void>
}

/**
 * The publishers of a command whose settings may change: a tunnel whose own settings are as they were stays with its publisher, and one
 * with new settings gets a new publisher. One that nobody uses any more is ended.
 */
export class Carriers implements AsyncDisposable {
  readonly #open: () => Promise<Publisher>
  #carriers: CarrierOf[] = []
  #opening: Promise<CarrierOf> | undefined

  constructor(open: () => Promise<Publisher>) {
    this.#open = open
  }

  /** @param whole - settings of the whole file, which a publisher that is opened now reads */
  async hold(settings: string, whole: string): Promise<Hold> {
    const known = this.#carriers.find((one) => one.settings.has(whole)) ?? this.#carriers.find((one) => one.settings.has(settings))
    const carrier = known ?? (await (this.#opening ??= this.#make(whole)))
    carrier.settings.add(settings)
    carrier.users += 1
    let held = true
    return {
      publisher: carrier.publisher,
      release: async () => {
        if (!held) return
        held = false
        carrier.users -= 1
        if (carrier.users > 0 || carrier === this.#carriers.at(-1)) return
        this.#carriers = this.#carriers.filter((one) => one !== carrier)
        await carrier.publisher[Symbol.asyncDispose]()
      },
    }
  }

  /** Forgets all, since they are of no use any more (their process is gone). */
  async renew(): Promise<void> {
    const old = this.#carriers
    this.#carriers = []
    await Promise.allSettled(old.map(({ publisher }) => publisher[Symbol.asyncDispose]()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.renew()
  }

  async #make(whole: string): Promise<CarrierOf> {
    try {
      const carrier: CarrierOf = { publisher: await this.#open(), settings: new Set([whole]), users: 0 }
      const idle = this.#carriers.filter(({ users }) => users === 0)
      this.#carriers = [...this.#carriers.filter(({ users }) => users > 0), carrier]
      await Promise.allSettled(idle.map(({ publisher }) => publisher[Symbol.asyncDispose]()))
      return carrier
    } finally {
      this.#opening = undefined
    }
  }
}
