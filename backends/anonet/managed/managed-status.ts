import { HANDSHAKE_STALE_SECONDS } from '../constants.ts'
import { prefixText } from '../mesh-address.ts'
import { sessionsOf } from '../mesh.ts'
import { endpointText } from './endpoint.ts'
import type { Friend } from './friend.ts'
import { friendAddress, interfaceOf, protocolOf } from './layout.ts'
import type { Plan } from './plan.ts'
import type { InsideState, Uplink } from './protocol.ts'

/** Routes that are shown: a terminal has no use for more. */
const MAX_ROUTES = 500

/** What `beam anonet status` shows of a mesh of Beam's own. No private keys: they are not in any of these. */
export function managedStatus(parts: {
  readonly state: InsideState
  readonly friends: readonly Friend[]
  readonly plan: Plan
  readonly address: string
  readonly uplink: Uplink
  readonly nowMs: number
}): Readonly<Record<string, unknown>> {
  const { state, friends, plan, address, uplink, nowMs } = parts
  const sessions = sessionsOf(state.protocols)
  return {
    mode: 'managed',
    address,
    prefix: prefixText(plan.prefix),
    asn: plan.asn,
    uplink,
    bird: state.birdVersion,
    friends: friends.map((friend) => {
      const session = sessions.find(({ name }) => name === protocolOf(friend))
      const bfd = state.bfd.find((each) => each.address === friendAddress(friend))
      const peer = state.links[interfaceOf(friend)]
      const age = peer?.lastHandshake === undefined ? undefined : Math.max(0, Math.round(nowMs / 1_000 - peer.lastHandshake))
      return {
        id: friend.id,
        ...(friend.name !== undefined && { name: friend.name }),
        prefix: prefixText(friend.prefix),
        asn: friend.asn,
        transit: friend.transit,
        session: session?.info ?? 'not configured',
        established: session?.established === true,
        ...(bfd !== undefined && { bfd: bfd.state }),
        ...(age !== undefined && { handshakeSecondsAgo: age }),
        linkAlive: age !== undefined && age < HANDSHAKE_STALE_SECONDS,
        receivedBytes: peer?.receivedBytes ?? 0,
        sentBytes: peer?.sentBytes ?? 0,
        endpoints: friend.endpoints.map(endpointText),
      }
    }),
    routes: state.routes
      .slice(0, MAX_ROUTES)
      .map(({ prefix, protocol, primary, originAs }) => ({ prefix, via: protocol, primary, ...(originAs !== undefined && { originAs }) })),
  }
}
