import { hostname, networkInterfaces } from 'node:os'
import { isIP } from 'node:net'
import { ConfigError, type Clock } from '../../../core/index.ts'
import type { AnonetConfig } from '../config.generated.ts'
import { MAX_ENDPOINTS, MAX_FRIENDS } from '../constants.ts'
import { mayBeAnnounced, parsePrefix, prefixText, type Prefix } from '../mesh-address.ts'
import { accept, circleIdentity, invite, revoke, type OwnSide } from './befriend.ts'
import type { CircleStore } from './circle-store.ts'
import { endpointText, isLocalOnly, ownHosts } from './endpoint.ts'
import { friendId, type Circle, type Friend } from './friend.ts'
import { decodeLetter, NAME } from './invite.ts'
import { openUdp } from './udp-port.ts'
import { isPrivateAs, nodeAddress, planOf, type Plan } from './plan.ts'

type Input = Readonly<Record<string, unknown>>
type Answer = Readonly<Record<string, unknown>>

/** What the desk is made of. */
export interface DeskParts {
  readonly store: CircleStore
  readonly config: AnonetConfig
  readonly range: Prefix
  readonly clock: Clock
}

/** `beam anonet invite`, `accept`, `friends` and `revoke`: works on the file of friends alone; a running mesh follows the file. */
export class FriendDesk {
  readonly #parts: DeskParts

  constructor(parts: DeskParts) {
    this.#parts = parts
  }

  /** A circle's place in the mesh: as configured, else as worked out of its key. @throws ConfigError */
  planOf(circle: Circle): Plan {
    const { config, range } = this.#parts
    const plan = planOf(circleIdentity(circle).publicKey, range)
    const prefix = config.prefix === undefined ? plan.prefix : parsePrefix(config.prefix)
    if (prefix === undefined || !mayBeAnnounced(prefix, range)) {
      throw new ConfigError(`The prefix ${config.prefix ?? ''} cannot be announced in ${prefixText(range)}.`, {
        hint: 'It begins at its first address and is none of the links’: for example 21.77.5.0/24.',
      })
    }
    const asn = config.asn ?? plan.asn
    if (!isPrivateAs(asn))
      throw new ConfigError(`${asn} is no private AS number.`, { hint: 'Private are 64512 to 65534 and 4200000000 to 4294967294.' })
    return { prefix, asn }
  }

  async invite(input: Input): Promise<Answer> {
    const given = hostsOf(input['endpoints'])
    const word = nameOf(input['for'])
    const busy = await this.#busyPorts()
    let text = ''
    let open: { readonly link: string; readonly expiresAt: number } | undefined
    let hosts: readonly string[] = []
    await this.#parts.store.change((circle) => {
      const own = this.#own(circle, given, busy)
      hosts = own.hosts
      const made = invite(circle, own, word === undefined ? {} : { for: word })
      text = made.text
      open = made.invite
      return made.circle
    })
    return { text, id: open?.link.slice(0, 8), expiresAt: new Date((open?.expiresAt ?? 0) * 1_000).toISOString(), ...reachability(hosts) }
  }

  async accept(input: Input): Promise<Answer> {
    const text = input['text']
    if (typeof text !== 'string') throw new ConfigError('accept takes the text that a friend sent.', { code: 'BEAM_ERR_INVITE' })
    const letter = decodeLetter(text, this.#parts.clock.now())
    const given = hostsOf(input['endpoints'])
    const name = nameOf(input['name'])
    const busy = await this.#busyPorts()
    let result: { readonly friend: Friend; readonly answer?: string } | undefined
    let hosts: readonly string[] = []
    await this.#parts.store.change((circle) => {
      const own = this.#own(circle, given, busy)
      hosts = own.hosts
      const accepted = accept(circle, own, letter, { ...(name !== undefined && { name }), transit: input['ownOnly'] !== true })
      result = accepted
      return accepted.circle
    })
    const { friend, answer } = result as { readonly friend: Friend; readonly answer?: string }
    return { friend: shown(friend), ...(answer !== undefined && { answer, ...reachability(hosts) }) }
  }

  async revoke(input: Input): Promise<Answer> {
    const word = input['friend']
    if (typeof word !== 'string' || word === '')
      throw new ConfigError('revoke takes the name or id of a friend.', { code: 'BEAM_ERR_INVITE' })
    let answer: Answer = {}
    await this.#parts.store.change((circle) => {
      const { circle: rest, revoked } = revoke(circle, word)
      answer = 'id' in revoked ? { revoked: 'friend', friend: shown(revoked) } : { revoked: 'invite', id: revoked.link.slice(0, 8) }
      return rest
    })
    return answer
  }

  async friends(): Promise<Answer> {
    const circle = await this.#parts.store.read()
    if (circle === undefined) return { friends: [], invites: [] }
    const plan = this.planOf(circle)
    const now = this.#parts.clock.now()
    return {
      id: friendId(circleIdentity(circle).publicKey),
      address: nodeAddress(plan.prefix),
      prefix: prefixText(plan.prefix),
      asn: plan.asn,
      friends: circle.friends.map(shown),
      invites: circle.invites
        .filter(({ expiresAt }) => expiresAt * 1_000 > now)
        .map((open) => ({
          id: open.link.slice(0, 8),
          ...(open.for !== undefined && { for: open.for }),
          expiresAt: new Date(open.expiresAt * 1_000).toISOString(),
        })),
    }
  }

  /** Ports of the range that cannot be had now. Those of a running mesh of this circle are among them, and are its own anyhow. */
  async #busyPorts(): Promise<ReadonlySet<number>> {
    const busy = new Set<number>()
    const first = this.#parts.config.listenPort
    for (let port = first; port < first + 2 * MAX_FRIENDS; port++) {
      try {
        ;(await openUdp(port)).close()
      } catch {
        busy.add(port)
      }
    }
    return busy
  }

  #own(circle: Circle, given: readonly string[] | undefined, busyPorts: ReadonlySet<number>): OwnSide {
    const { config, range, clock } = this.#parts
    const hosts = given ?? hostsOf(config.endpoints) ?? ownHosts(networkInterfaces(), range)
    const name = config.nickname ?? hostname()
    return {
      plan: this.planOf(circle),
      range,
      firstPort: config.listenPort,
      busyPorts,
      hosts: hosts.slice(0, MAX_ENDPOINTS),
      ...(NAME.test(name) && { name }),
      nowMs: clock.now(),
    }
  }
}

/** A friend without the keys of the link. */
function shown(friend: Friend): Answer {
  const { id, name, asn, transit, endpoints, prefix, since, listenPort } = friend
  return {
    id,
    ...(name !== undefined && { name }),
    prefix: prefixText(prefix),
    asn,
    transit,
    endpoints: endpoints.map(endpointText),
    listenPort,
    since: new Date(since).toISOString(),
  }
}

/** Whether friends elsewhere will reach what the text names. */
function reachability(hosts: readonly string[]): Answer {
  const reach = hosts.length === 0 ? 'nowhere' : hosts.every(isLocalOnly) ? 'local' : 'public'
  return { endpoints: hosts, reach }
}

function hostsOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length > MAX_ENDPOINTS) throw new ConfigError(`Name at most ${MAX_ENDPOINTS} addresses.`)
  for (const host of value) {
    if (isIP(String(host)) === 0) {
      throw new ConfigError(`${JSON.stringify(String(host).slice(0, 64))} is no IP address.`, {
        hint: 'The port is chosen by Beam; names are not taken, since they would have to be asked of the DNS.',
      })
    }
  }
  return value.map(String)
}

function nameOf(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && NAME.test(value)) return value
  throw new ConfigError('A name has at most 32 letters, digits, spaces, dots, hyphens and underscores.', { code: 'BEAM_ERR_NAME_INVALID' })
}
