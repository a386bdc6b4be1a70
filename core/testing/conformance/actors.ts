import type { NetworkBackend } from '../../backend.ts'
import { within } from '../../tunnels/within.ts'
import type { ConformanceFixture } from './fixture.ts'

/** How long a disposal may take before nobody waits for it any more, in milliseconds on loopback. */
const DISPOSE_LIMIT_MS = 5_000

/** The two backends of a case, made and initialized when they are first asked for. */
export class Actors implements AsyncDisposable {
  readonly #fixture: ConformanceFixture
  readonly #made: NetworkBackend[] = []
  #publisher: Promise<NetworkBackend> | undefined
  #visitor: Promise<NetworkBackend> | undefined

  constructor(fixture: ConformanceFixture) {
    this.#fixture = fixture
  }

  publisher(signal: AbortSignal): Promise<NetworkBackend> {
    this.#publisher ??= this.#start(() => this.#fixture.create(), signal)
    return this.#publisher
  }

  visitor(signal: AbortSignal): Promise<NetworkBackend> {
    const { pair } = this.#fixture
    if (pair === undefined) return this.publisher(signal)
    this.#visitor ??= this.#start(() => pair.call(this.#fixture), signal)
    return this.#visitor
  }

  async #start(make: () => NetworkBackend | Promise<NetworkBackend>, signal: AbortSignal): Promise<NetworkBackend> {
    const backend = await make()
    this.#made.push(backend)
    await backend.initialize({ signal })
    return backend
  }

  /** Whether disposal works is the matter of cases of its own; here it must only not stand in the way. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const backend of this.#made.splice(0).toReversed()) await disposeQuietly(backend, this.#fixture)
  }
}

/** Disposes of a backend without a word about failures, and without waiting for ever. */
export async function disposeQuietly(backend: NetworkBackend, { timeScale = 1 }: ConformanceFixture): Promise<void> {
  const disposed = (async () => backend[Symbol.asyncDispose]())()
  await within(disposed, { ms: DISPOSE_LIMIT_MS * timeScale, what: 'The disposal' }).catch(() => {})
}
