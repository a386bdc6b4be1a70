import type { Duplex } from 'node:stream'
import { MAX_SIDE_CONNECTIONS } from '../../link/constants.ts'
import { UnreachableError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { adoptForJoin } from '../../streams/adopt-socket.ts'
import { resetStream } from '../../streams/reset.ts'
import type { MeshNode } from '../node/mesh-node.ts'
import type { Peer } from '../node/peer.ts'
import { meet } from './meet.ts'
import type { Carried } from './relay-ledger.ts'

/** What is carried on connections of its own, and for whom. */
export interface SpliceRequest {
  /** Who asked: the text of a key. */
  readonly owner: string
  readonly authority: string
  readonly target: Peer
  readonly carried: Carried
}

/** Copies the bytes of heavy streams from one connection to another, as they come: they are encrypted from end to end. */
export class Splicer implements Disposable {
  readonly #node: MeshNode
  readonly #logger: Logger
  /** Ends of those that wait or run. */
  readonly #open = new Set<() => void>()

  constructor({ node, logger }: { readonly node: MeshNode; readonly logger: Logger }) {
    this.#node = node
    this.#logger = logger
  }

  /**
   * Prepares a way on to a peer, made at the same time as the way in; what comes first waits for the other.
   * @returns the token with which it is entered
   * @throws UnreachableError (`BEAM_ERR_RATE_LIMITED`)
   */
  prepare({ owner, authority, target, carried }: SpliceRequest): Buffer {
    if (this.#open.size >= MAX_SIDE_CONNECTIONS) {
      throw new UnreachableError('This relay copies as many connections as it can.', { code: 'BEAM_ERR_RATE_LIMITED', retry: 'later' })
    }
    const { door } = this.#node
    const connections = new Set<Duplex>()
    let ended = false
    const end = (): void => {
      ended = true
      this.#open.delete(end)
      door.forget(token)
      // A reset, never an end: what was sent may not have come through.
      for (const connection of connections) resetStream(connection, new Error('this relay stopped copying'))
      carried.end()
    }
    const hold = (connection: Duplex): Duplex => {
      connection.on('error', () => {})
      if (ended) connection.destroy()
      else connections.add(connection)
      return connection
    }
    const token = door.expect({ owner, missed: end, take: (inbound) => void copy(hold(inbound)) })
    this.#open.add(end)
    const onward = meet(target, authority, door).then(hold)
    onward.catch((error: Error) => {
      this.#logger.debug('no way of its own for a heavy stream', { reason: error.message })
      end()
    })
    const copy = async (inbound: Duplex): Promise<void> => {
      // A failure ends both already.
      const to = await onward.catch(() => undefined)
      if (to === undefined || ended) return
      connections.delete(inbound)
      const { outcome, error } = await carried.join(hold(adoptForJoin(inbound)), to)
      this.#logger.debug('copied connection ended', { outcome, reason: error?.message })
      end()
    }
    return token
  }

  [Symbol.dispose](): void {
    for (const end of this.#open) end()
  }
}
