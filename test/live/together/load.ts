import { createHash } from 'node:crypto'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'

/** One request, on a connection of its own. */
export interface Request {
  /** When it began, as `performance.now()` counts. */
  readonly begunAt: number
  /** How long it took. */
  readonly ms: number
  /** Why it failed. */
  readonly error?: string
}

/** What a download was: its length, and the digests of what was sent and of what came. */
export interface Download {
  readonly bytes: number
  readonly sent: string
  readonly received: string
}

/** Written at a time; every chunk differs, so that one that is lost, doubled or moved shows. */
const CHUNK_BYTES = 50_003
/** How long a request may take until it counts as failed. */
const REQUEST_LIMIT_MS = 20_000

/** Answers `/` with a word, and `/stream` with bytes at a given rate until it is told to `finish`. */
export class LoadService {
  readonly server: Server
  #finish = false
  #sent = ''

  constructor(bytesPerSecond: number) {
    this.server = createServer((request, response) => {
      if (request.url !== '/stream') return void response.end('alive')
      const hash = createHash('sha256')
      let count = 0
      const timer = setInterval(
        () => {
          if (response.writableNeedDrain) return
          const chunk = Buffer.alloc(CHUNK_BYTES, `${count++} `)
          hash.update(chunk)
          response.write(chunk)
          if (!this.#finish) return
          clearInterval(timer)
          this.#sent = hash.digest('hex')
          response.end()
        },
        (CHUNK_BYTES / bytesPerSecond) * 1000,
      )
      response.on('close', () => clearInterval(timer))
    })
  }

  /** Digest of the last stream that was sent to its end. */
  get sent(): string {
    return this.#sent
  }

  /** Begins a download that lasts until `finish` is called. */
  download(port: number): { finish(): Promise<Download>; readonly bytes: () => number } {
    this.#finish = false
    const hash = createHash('sha256')
    let bytes = 0
    const received = fetchFrom(port, '/stream', (chunk) => {
      hash.update(chunk)
      bytes += chunk.length
    })
    received.catch(() => {})
    return {
      bytes: () => bytes,
      finish: async () => {
        this.#finish = true
        await received
        return { bytes, sent: this.#sent, received: hash.digest('hex') }
      },
    }
  }
}

/** Requests at a steady pace, whether the ones before were answered or not. */
export class Load {
  readonly done: Request[] = []
  readonly #timer: NodeJS.Timeout
  readonly #open = new Set<Promise<void>>()

  constructor(port: number, everyMs: number) {
    this.#timer = setInterval(() => {
      const one = this.#ask(port).finally(() => this.#open.delete(one))
      this.#open.add(one)
    }, everyMs)
  }

  /** The requests that began from then on, and were over. */
  since(at: number): Request[] {
    return this.done.filter(({ begunAt }) => begunAt >= at)
  }

  /** Ends it, and waits for the answers. */
  async stop(): Promise<readonly Request[]> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
    return this.done
  }

  async #ask(port: number): Promise<void> {
    const begunAt = performance.now()
    try {
      let text = ''
      await fetchFrom(port, '/', (chunk) => (text += chunk.toString()), AbortSignal.timeout(REQUEST_LIMIT_MS))
      if (text !== 'alive') throw new Error(`answered ${text.slice(0, 80)}`)
      this.done.push({ begunAt, ms: performance.now() - begunAt })
    } catch (error) {
      this.done.push({ begunAt, ms: performance.now() - begunAt, error: (error as Error).message })
    }
  }
}

/** Reads an answer to its end; it must be complete. */
function fetchFrom(port: number, path: string, onData: (chunk: Buffer) => unknown, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: '127.0.0.1', port, path, agent: false, ...(signal === undefined ? {} : { signal }) },
      (answer: IncomingMessage) => {
        answer.on('data', onData)
        answer.on('error', reject)
        answer.on('end', () => (answer.complete ? resolve() : reject(new Error('cut off'))))
      },
    )
    request.on('error', reject)
  })
}
