import { createHash, randomBytes } from 'node:crypto'
import { createServer, get, type Server } from 'node:http'

/** What is served comes out of this block. */
const BLOCK = randomBytes(1 << 20)
/** A request that takes longer has failed: the customer's limit for a failover is 5 s, and a loaded machine is slower. */
const LIMIT_MS = 20_000

/** Answers `/?<bytes>` with so many bytes, and says their digest first. */
export function source(): Server {
  return createServer((request, response) => {
    const bytes = Math.min(Number(request.url?.slice(2)), 64 << 20)
    const chunks = Array.from({ length: Math.ceil(bytes / BLOCK.length) }, (_, index) =>
      BLOCK.subarray(0, Math.min(BLOCK.length, bytes - index * BLOCK.length)),
    )
    const hash = createHash('sha256')
    for (const chunk of chunks) hash.update(chunk)
    response.writeHead(200, { 'x-sha256': hash.digest('hex'), 'content-length': bytes })
    const go = (): void => {
      for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift())
        if (!response.write(chunk)) return void response.once('drain', go)
      response.end()
    }
    go()
  })
}

/** One request on a connection of its own. Resolves with how long it took; rejects when not every byte came as it was sent. */
export function request(port: number, bytes: number): Promise<number> {
  const from = performance.now()
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256')
    const ask = get({ host: '127.0.0.1', port, path: `/?${bytes}`, agent: false, signal: AbortSignal.timeout(LIMIT_MS) }, (answer) => {
      answer.on('data', (chunk: Buffer) => hash.update(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const exact = answer.complete && hash.digest('hex') === answer.headers['x-sha256']
        if (exact) resolve(performance.now() - from)
        else reject(new Error(answer.complete ? 'other bytes than were sent' : 'cut off'))
      })
    })
    ask.on('error', reject)
  })
}

/** Requests at a steady pace, whether the ones before were answered or not. */
export class Traffic {
  readonly name: string
  ok = 0
  failed = 0
  readonly failures = new Map<string, number>()
  slowestMs = 0
  readonly #port: number
  readonly #bytes: () => number
  readonly #open = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  constructor({
    name,
    port,
    everyMs,
    bytes,
  }: {
    readonly name: string
    readonly port: number
    readonly everyMs: number
    readonly bytes: () => number
  }) {
    this.name = name
    this.#port = port
    this.#bytes = bytes
    this.#timer = setInterval(() => {
      const one = this.#ask().finally(() => this.#open.delete(one))
      this.#open.add(one)
    }, everyMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
  }

  toString(): string {
    const why = [...this.failures].map(([message, times]) => `${times}x ${message}`).join(', ')
    return `${this.name}: ${this.ok} answered, slowest ${Math.round(this.slowestMs)} ms, ${this.failed} failed${why === '' ? '' : ` (${why})`}`
  }

  async #ask(): Promise<void> {
    try {
      this.slowestMs = Math.max(this.slowestMs, await request(this.#port, this.#bytes()))
      this.ok += 1
    } catch (error) {
      this.failed += 1
      const { message } = error as Error
      this.failures.set(message, (this.failures.get(message) ?? 0) + 1)
    }
  }
}
