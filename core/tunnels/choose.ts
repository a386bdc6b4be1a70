/**
 * Choosing networks by what they declare: anonymity, resistance to blocking, latency by design, throughput. Nothing here was measured, and
 * nothing is looked up: the figures come from each backend's capabilities. Pure.
 */
import { LEVELS, type AnonymityLevel, type BackendCapabilities, type CensorshipResistance } from '../capabilities.ts'

/** What networks have to offer to be chosen. */
export interface PrivacyBudget {
  /** At least so much anonymity. */
  readonly anonymity?: Exclude<AnonymityLevel, 'none'>
  /** At least so hard to block. */
  readonly censorshipResistance?: Exclude<CensorshipResistance, 'none'>
  /** Round trips of at most so many milliseconds, by the network's design. */
  readonly latencyMs?: number
  /** At least so many bytes per second, by the network's specification. */
  readonly throughput?: number
}

/**
 * The longest round trip that one way across the Internet needs by distance alone: half way round the Earth (20,000 km) and back, in fibre
 * (5 µs per km: ITU-T G.114, annex A). Real paths are shorter, and queues make them longer; it is what can be said without measuring.
 */
const WAY_MS = 200

/** What the design of a network says about round trips. */
export interface DesignLatency {
  /** The longest round trip by distance and delays on purpose, in milliseconds; queues come on top. */
  readonly boundMs: number
  /** How it is reckoned, for people. */
  readonly source: string
}

/** The latency that a network's design allows for; undefined where it declares none. */
export function designLatency({ relays, holdMs = 0 }: Pick<BackendCapabilities, 'relays' | 'holdMs'>): DesignLatency | undefined {
  if (relays === undefined) return undefined
  const ways = relays === 0 ? 'both ends connected directly' : `${relays} ${relays === 1 ? 'relay' : 'relays'} between the ends`
  const held = holdMs === 0 ? '' : `, held back ${holdMs} ms each way`
  return {
    boundMs: (relays + 1) * WAY_MS + 2 * holdMs,
    source: `by design: ${ways}${held}; ${WAY_MS} ms for each way across the Internet`,
  }
}

/** Why a network does not fit; empty when it does. One sentence each. */
export function misfits(capabilities: BackendCapabilities, budget: PrivacyBudget): readonly string[] {
  const { anonymityLevel, censorshipResistance, maxThroughput } = capabilities
  const reasons: string[] = []
  const below = (has: AnonymityLevel, wanted: AnonymityLevel): boolean => LEVELS.indexOf(has) < LEVELS.indexOf(wanted)
  if (budget.anonymity !== undefined) {
    if (below(anonymityLevel, budget.anonymity)) reasons.push(`its anonymity is ${anonymityLevel}, wanted is ${budget.anonymity}`)
    else if (capabilities.exposesPublisherIp) reasons.push('it shows the IP address of this machine')
  }
  if (budget.censorshipResistance !== undefined && below(censorshipResistance, budget.censorshipResistance)) {
    reasons.push(`its resistance to blocking is ${censorshipResistance}, wanted is ${budget.censorshipResistance}`)
  }
  if (budget.latencyMs !== undefined) {
    const latency = designLatency(capabilities)
    if (latency === undefined) reasons.push('it declares no latency')
    else if (latency.boundMs > budget.latencyMs) {
      reasons.push(`round trips may take ${latency.boundMs} ms by design, wanted are at most ${budget.latencyMs} ms`)
    }
  }
  if (budget.throughput !== undefined && maxThroughput < budget.throughput) {
    reasons.push(`it carries at most ${maxThroughput} bytes/s, wanted are ${budget.throughput}`)
  }
  return reasons
}

/** Whether anything is asked for. */
export function isBudget(budget: PrivacyBudget): boolean {
  return Object.values(budget).some((value) => value !== undefined)
}

/** Networks that fit, those with shorter round trips by design first; equal ones in the order given. */
export function byLatency<T extends { readonly capabilities: BackendCapabilities }>(candidates: readonly T[]): readonly T[] {
  const bound = ({ capabilities }: T): number => designLatency(capabilities)?.boundMs ?? Infinity
  return candidates.toSorted((a, b) => {
    const [left, right] = [bound(a), bound(b)]
    return left === right ? 0 : left - right
  })
}
