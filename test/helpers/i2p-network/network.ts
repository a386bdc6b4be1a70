import { placeOf, TestRouter, type RouterPlace, type RouterRecord } from './router.ts'

/** Clients, which serve and visit. */
const CLIENTS = 2
/** With fewer nothing gets through; with all of them floodfills it takes 30 s instead of 12. */
const FLOODFILLS = 2

/** What a test process has to know of a network that another process started. */
export interface NetworkView {
  readonly folder: string
  /** The first ones are clients. */
  readonly places: readonly RouterPlace[]
  readonly records: ReadonlyArray<{ readonly hash: string; readonly base64: string }>
}

/** A private I2P network of four real routers. It has to run in a namespace: see namespace.ts. */
export class I2pNetwork implements AsyncDisposable {
  readonly routers: readonly TestRouter[]
  readonly #folder: string
  #records: readonly RouterRecord[] = []

  /** @param first - index of the first router: a second network needs places of its own */
  constructor(folder: string, first = 0) {
    this.#folder = folder
    this.routers = Array.from(
      { length: CLIENTS + FLOODFILLS },
      (_, index) => new TestRouter(placeOf(folder, first + index, index >= CLIENTS)),
    )
  }

  /**
   * Starts every router once for its record, gives all records to all, and starts them again.
   *
   * @param tunnels - tunnels.conf of the first router
   */
  async start(tunnels?: string): Promise<void> {
    for (const router of this.routers) router.start()
    this.#records = await Promise.all(this.routers.map((router) => router.record()))
    for (const [index, router] of this.routers.entries()) {
      router.learn(this.#records)
      router.start(index === 0 ? tunnels : undefined)
    }
    for (const router of this.routers) await router.listening()
    for (const router of this.routers) router.revive()
  }

  view(): NetworkView {
    return {
      folder: this.#folder,
      places: this.routers.map(({ place }) => place),
      records: this.#records.map(({ hash, bytes }) => ({ hash, base64: bytes.toString('base64') })),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.routers.map((router) => router.kill()))
  }
}

/** The records of a network that another process started. */
export function recordsOf(view: NetworkView): RouterRecord[] {
  return view.records.map(({ hash, base64 }) => ({ hash, bytes: Buffer.from(base64, 'base64') }))
}

/** A further client of the network, for a test that ends and restarts it. `index` counts from 4; two of one index must not run at once. */
export function addClient(view: NetworkView, index: number): TestRouter {
  const router = new TestRouter(placeOf(view.folder, index, false))
  router.learn(recordsOf(view))
  return router
}
