import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TimeoutError, UnreachableError } from '../../errors.ts'
import { encodeKey } from '../../identity/address.ts'
import { adoptForJoin } from '../../streams/adopt-socket.ts'
import { connectForJoin } from '../../streams/onread-socket.ts'
import { newSideToken, sideOnly, type SideDoor } from '../../link/side-door.ts'
import type { MeshNode } from '../node/mesh-node.ts'
import type { Peer } from '../node/peer.ts'
import { decodeMeeting, encodeMeeting, MEET_TOPIC } from './meeting.ts'

/** How long a connection to the next node may take: what it is for goes on inside the link meanwhile, and after. */
const MEET_TIMEOUT_MS = 5_000
/** A far end that vanished is noticed by TCP: probes begin after this much silence. */
const KEEP_ALIVE_MS = 30_000
const NOTHING = new Uint8Array()

/**
 * The relay's half: a connection to a peer, for one who wants to a service (or node) there. Whoever dialled the link dials this one too.
 * @throws UnreachableError with the peer's reason, TimeoutError
 */
export async function meet(peer: Peer, authority: string, door: SideDoor): Promise<Duplex> {
  const signal = AbortSignal.timeout(MEET_TIMEOUT_MS)
  const token = newSideToken()
  if (peer.contact !== undefined) {
    await peer.ask(MEET_TOPIC, encodeMeeting({ token, authority, dialler: 'relay' }), signal)
    return dialled(connectForJoin(peer.contact), token, signal)
  }
  const arrived = arrival(door, { owner: peer.id, token, signal })
  const refused = peer.ask(MEET_TOPIC, encodeMeeting({ token, authority, dialler: 'node' }), signal).then(() => arrived)
  // The connection may be there long before the answer, which waits behind what the link carries.
  refused.catch(() => door.forget(token))
  return Promise.race([arrived, refused])
}

/**
 * The next node's half. It dials nothing but the relay's address that it dialled before, and only for what it answers for itself.
 * @param takerOf - who takes a connection to a service, or to the node itself
 */
export function serveMeetings(node: MeshNode, takerOf: (authority: string) => ((carrier: Duplex) => void) | undefined): () => void {
  return node.serve(MEET_TOPIC, async (body, { key }) => {
    const { token, authority, dialler } = decodeMeeting(body)
    const peer = node.peer(encodeKey('node', key))
    const taker = takerOf(authority)
    const take = (connection: Duplex): void => taker?.(Object.assign(connection, { [sideOnly]: true }))
    if (peer === undefined) throw new UnreachableError('Only a peer can ask for that.', { code: 'BEAM_ERR_ACCESS_DENIED', retry: 'never' })
    if (taker === undefined || (dialler === 'node' && peer.contact === undefined)) {
      throw new UnreachableError('There is no such way from here.', { code: 'BEAM_ERR_NOT_FOUND', retry: 'never' })
    }
    if (dialler === 'relay' || peer.contact === undefined) node.door.expect({ owner: peer.id, take }, token)
    else take(await dialled(connect({ ...peer.contact, noDelay: true } as NetConnectOpts), token, AbortSignal.timeout(MEET_TIMEOUT_MS)))
    return NOTHING
  })
}

/** A socket that is being dialled, once it stands and has shown its token. */
function dialled<T extends Socket>(socket: T, token: Buffer, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      reject(new UnreachableError('The connection for a heavy stream could not be made.', { cause: error }))
    }
    const onAbort = (): void => fail(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', fail)
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', fail)
      socket.on('error', () => {})
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      socket.write(token)
      resolve(socket)
    })
  })
}

function arrival(door: SideDoor, { owner, token, signal }: { owner: string; token: Buffer; signal: AbortSignal }): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const late = (): void => {
      door.forget(token)
      signal.removeEventListener('abort', late)
      reject(new TimeoutError('The next node did not make its connection in time.'))
    }
    const take = (connection: Duplex): void => {
      signal.removeEventListener('abort', late)
      ;(connection as Socket).setKeepAlive(true, KEEP_ALIVE_MS)
      resolve(adoptForJoin(connection))
    }
    signal.addEventListener('abort', late, { once: true })
    door.expect({ owner, take, missed: late }, token)
  })
}
