import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  decodeKey,
  isReachableHost,
  readPrivateFile,
  writePrivateFile,
  type BeamPaths,
  type Candidates,
  type Logger,
} from '../../../core/index.ts'

/** Nodes that are remembered for the next start. */
const MAX_STORED = 200
const MAX_FILE_BYTES = 256 * 1024

/** What one line of the file says. */
interface StoredPeer {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly good: number
  readonly bad: number
  readonly at: number
}

/** The nodes that a user's Beam was linked to, with what it thinks of them: `<data>/peers.json`, mode 0600, as it tells whom one dealt with. */
export class PeerStore {
  readonly #path: string
  readonly #logger: Logger

  constructor(paths: Pick<BeamPaths, 'data'>, logger: Logger) {
    this.#path = join(paths.data, 'peers.json')
    this.#logger = logger
  }

  /** Takes what was stored into the candidates. A file that is damaged or of others is left alone: peers can be found anew. */
  async load(candidates: Candidates): Promise<void> {
    try {
      const content = await readPrivateFile(this.#path, { maxBytes: MAX_FILE_BYTES })
      if (content === undefined) return
      const stored: unknown = JSON.parse(content.toString('utf8'))
      if (!Array.isArray(stored)) return
      candidates.restore(stored.slice(0, MAX_STORED).flatMap((entry) => peerOf(entry)))
    } catch (error) {
      this.#logger.warn('the peers of the last time cannot be read', { file: this.#path, reason: (error as Error).message })
    }
  }

  /** Forgets them all. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true }).catch((error: unknown) => {
      this.#logger.warn('the peers of former times cannot be forgotten', { file: this.#path, reason: (error as Error).message })
    })
  }

  /** Keeps the good ones. A full disk costs the memory of them, nothing else. */
  async save(candidates: Candidates): Promise<void> {
    const lines = candidates
      .toStore(MAX_STORED)
      .map(({ candidate: { id, contact }, reputation }): StoredPeer => ({ id, ...contact, ...reputation }))
    if (lines.length === 0) return
    try {
      await writePrivateFile(this.#path, `${JSON.stringify(lines)}\n`, { replace: true })
    } catch (error) {
      this.#logger.warn('the peers of this time cannot be kept', { file: this.#path, reason: (error as Error).message })
    }
  }
}

function peerOf(value: unknown): Parameters<Candidates['restore']>[0][number][] {
  const { id, host, port, good, bad, at } = (value ?? {}) as Record<keyof StoredPeer, unknown>
  const key = typeof id === 'string' ? decodeKey('node', id) : undefined
  if (key === undefined || typeof host !== 'string' || !isReachableHost(host)) return []
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535) return []
  if (![good, bad, at].every((number) => typeof number === 'number' && Number.isFinite(number) && number >= 0)) return []
  return [
    {
      candidate: { key, contact: { host, port: port as number } },
      reputation: { good: good as number, bad: bad as number, at: at as number },
    },
  ]
}
