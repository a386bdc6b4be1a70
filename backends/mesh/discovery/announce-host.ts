import { isIP } from 'node:net'
import type multicastDns from 'multicast-dns'
import { ConfigError, systemClock, type Clock } from '../../../core/index.ts'
import { answerQuestions } from './mdns-responder.ts'
import type { MdnsSocket } from './mdns-socket.ts'

/** A name for browsers on the local network. */
export interface HostOptions {
  /** `something.local`. */
  readonly name: string
  /** IPv4 and IPv6 addresses of this machine. */
  readonly addresses: readonly string[]
  /** How long others may remember it. Default: 120 (RFC 6762 section 10). */
  readonly ttlSeconds?: number
  /** Told when somebody else answers for the name with another address, each address once. */
  readonly onConflict: (address: string) => void
  readonly clock?: Clock
}

/** A running host announcement. */
export interface HostAnnouncement {
  /** `probing`: asking whether the name is free. `conflict`: it was not, so nothing is announced. */
  readonly state: 'probing' | 'announced' | 'conflict' | 'stopped'
  /** The machine's addresses have changed. */
  update(addresses: readonly string[]): void
  /** Withdraws the name. Never rejects. */
  stop(): Promise<void>
}

/** RFC 6762 section 8.1: three questions, 250 ms apart. */
const PROBES = 3
const PROBE_INTERVAL_MS = 250
/** RFC 6762 section 8.3: announced twice, a second apart. */
const ANNOUNCE_AGAIN_MS = 1_000
/** Addresses of others that are remembered: there is one other in general. */
const MAX_CONFLICTS = 16
/** One label below `.local` (RFC 6762 section 3), of letters, digits and hyphens, so that browsers take it. */
const HOST_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.local$/

/**
 * Makes `name` resolve to `addresses` for everybody on the local network, if nobody else holds it already.
 * @throws ConfigError when the name or an address is none.
 */
export function announceHost(socket: MdnsSocket, options: HostOptions): HostAnnouncement {
  const { ttlSeconds = 120, onConflict, clock = systemClock } = options
  const name = options.name.toLowerCase().replace(/\.$/, '')
  if (!HOST_NAME.test(name)) {
    throw new ConfigError(`"${options.name}" is no name for the local network.`, {
      hint: 'It looks like myapp.local: letters, digits, hyphens, and .local.',
    })
  }
  let addresses = checked(options.addresses)
  let state: HostAnnouncement['state'] = 'probing'
  const conflicts = new Set<string>()
  const steps: (() => void)[] = []
  let cancelProbe: (() => void) | undefined

  const records = (ttl = ttlSeconds): multicastDns.Answer[] =>
    addresses.map((address) => ({ name, type: isIP(address) === 6 ? 'AAAA' : 'A', ttl, flush: true, data: address }))
  // Says which types there are, so that nobody waits for an AAAA that does not exist (RFC 6762 section 6.1).
  const types = (): multicastDns.Answer[] => [
    {
      name,
      type: 'NSEC',
      ttl: ttlSeconds,
      flush: true,
      data: { nextDomain: name, rrtypes: [...new Set(records().map(({ type }) => type))] },
    },
  ]
  const announce = (): void => void socket.send({ type: 'response', answers: records(), additionals: types() })
  const start = (): void => {
    state = 'announced'
    steps.push(answerQuestions(socket, { name, types: ['A', 'AAAA'], answers: records, additionals: types }, clock).end)
    announce()
    steps.push(clock.after(ANNOUNCE_AGAIN_MS, announce, { unref: true }))
  }
  steps.push(
    socket.use(({ type, answers = [] }) => {
      if (type !== 'response' || state === 'stopped') return
      for (const answer of answers) {
        const address = foreignAddress(answer, name, addresses)
        if (address === undefined || conflicts.has(address) || conflicts.size >= MAX_CONFLICTS) continue
        conflicts.add(address)
        if (state === 'probing') state = 'conflict'
        onConflict(address)
      }
    }),
  )
  const probe = (round: number): void => {
    if (state !== 'probing') return
    if (round === PROBES) {
      start()
      return
    }
    // While there is no network nobody can object: then the probing begins when there is one.
    if (socket.status().state === 'ready') void socket.send({ type: 'query', questions: [{ name, type: 'ANY' }] })
    const next = socket.status().state === 'ready' ? round + 1 : 0
    cancelProbe = clock.after(PROBE_INTERVAL_MS, () => probe(next), { unref: true })
  }
  probe(0)

  return {
    get state() {
      return state
    },
    update(next) {
      addresses = checked(next)
      if (state === 'announced') announce()
    },
    async stop() {
      const wasAnnounced = state === 'announced'
      state = 'stopped'
      if (wasAnnounced && socket.status().state === 'ready') await socket.send({ type: 'response', answers: records(0) })
      cancelProbe?.()
      for (const step of steps.splice(0)) step()
    },
  }
}

/** The address in somebody else's answer for our name. */
function foreignAddress(answer: multicastDns.Answer, name: string, own: readonly string[]): string | undefined {
  const isAddress = answer.type === 'A' || answer.type === 'AAAA'
  if (!isAddress || answer.ttl === 0 || answer.name.toLowerCase() !== name) return undefined
  const address = String(answer.data)
  return own.includes(address) ? undefined : address
}

function checked(addresses: readonly string[]): readonly string[] {
  for (const address of addresses) if (isIP(address) === 0) throw new ConfigError(`"${address}" is no IP address.`)
  return [...addresses]
}
