import { median } from '../../../plugins/benchmark/statistics.ts'
import { download, firstByte, openAndEcho } from './load.ts'
import type { OnionFigureName, OnionValues } from './figures.ts'
import type { OnionPeer, OnionPeerContext, Publication, Visitor } from './peer.ts'

/** Circuits of the second visitor; connections one after the other for the warm time to first byte. */
const CIRCUITS = 4
const WARM = 20
const ONE_BYTES = 1 << 20
const STREAMS = 50
const STREAM_BYTES = 64 << 10

/** One peer in one round: its publisher and two visitors, one with one circuit and one with several. */
export class OnionMeter {
  readonly peer: OnionPeer
  readonly values: OnionValues = {}
  readonly #context: OnionPeerContext
  #publication: Publication | undefined
  #one: Visitor | undefined
  #several: Visitor | undefined

  constructor(peer: OnionPeer, context: OnionPeerContext) {
    this.peer = peer
    this.#context = context
  }

  /** The steps in their order; each is run for all peers before the next one is. */
  get steps(): readonly (() => Promise<void>)[] {
    return [
      () => this.#publish('ready-cold'),
      async () => {
        await this.#publication?.stop()
        await this.#publish('ready-warm')
      },
      () => this.#visit(),
      () => this.#newCircuits(),
      () => this.#warmCircuit(),
      () => this.#take('stream-1', () => download(this.#dial(0), ONE_BYTES)),
      () => this.#take('streams-50', () => together(STREAMS, (index) => download(this.#dial(index), STREAM_BYTES))),
    ]
  }

  /** The downloads, which depend on the size that was asked for. */
  downloads(bytes: number): readonly (() => Promise<void>)[] {
    const rate = (ms: number): number => bytes / 2 ** 20 / (ms / 1000)
    return [
      () => this.#take('down-1', async () => rate(await download(this.#dial(0), bytes))),
      () =>
        this.#take('down-4', async () => rate(await together(CIRCUITS, (index) => download(this.#dialSeveral(index), bytes / CIRCUITS)))),
    ]
  }

  async stop(): Promise<void> {
    await Promise.all([this.#publication, this.#one, this.#several].map(async (part) => part?.stop()))
  }

  async #publish(figure: OnionFigureName): Promise<void> {
    const begin = performance.now()
    this.#publication = await this.peer.publish(this.#context)
    this.values[figure] = (performance.now() - begin) / 1000
  }

  async #visit(): Promise<void> {
    const address = this.#publication?.address ?? ''
    this.#one = await this.peer.visit(this.#context, address, 1)
    this.#several = await this.peer.visit(this.#context, address, CIRCUITS)
  }

  /** The first connections of a visitor, all kept open: each has a circuit of its own. */
  #newCircuits(): Promise<void> {
    return this.#take('ttfb-new', async () => {
      const opened = []
      for (let index = 0; index < CIRCUITS; index++) opened.push(await openAndEcho(this.#dialSeveral(index)))
      for (const { socket } of opened) socket.destroy()
      return median(opened.map(({ ms }) => ms))
    })
  }

  #warmCircuit(): Promise<void> {
    return this.#take('ttfb-warm', async () => {
      await firstByte(this.#dial(0))
      const times = []
      for (let count = 0; count < WARM; count++) times.push(await firstByte(this.#dial(0)))
      return median(times)
    })
  }

  async #take(figure: OnionFigureName, work: () => Promise<number>): Promise<void> {
    this.values[figure] = await work()
  }

  #dial(index: number): () => ReturnType<Visitor['dial']> {
    return () => this.#one!.dial(index)
  }

  #dialSeveral(index: number): () => ReturnType<Visitor['dial']> {
    return () => this.#several!.dial(index)
  }
}

async function together(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)))
  return performance.now() - begin
}
