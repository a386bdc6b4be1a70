import type { BackendCapabilities } from '../../core/capabilities.ts'
import { designLatency } from '../../core/tunnels/choose.ts'

const CARRIES = { stream: 'streams', message: 'messages', site: 'sites' } as const

/** What a network carries, in a word. */
export function carries({ delivery }: BackendCapabilities): string {
  return CARRIES[delivery]
}

/** Whose IP address a network hides from the other end, in a few words. */
export function hides({ exposesPublisherIp, exposesVisitorIp }: BackendCapabilities): string {
  if (exposesPublisherIp) return exposesVisitorIp ? 'nobody' : 'the visitor'
  return exposesVisitorIp ? 'the publisher' : 'both ends'
}

/** Bytes per second for people, in powers of 1000 as networks are sold. */
export function rate(bytesPerSecond: number): string {
  const units = ['B/s', 'kB/s', 'MB/s', 'GB/s']
  let value = bytesPerSecond
  let unit = 0
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toPrecision(3)} ${units[unit] ?? ''}`
}

/** Everything that a network says of itself: labels and texts. */
export function capabilityLines(capabilities: BackendCapabilities): ReadonlyArray<readonly [label: string, text: string]> {
  const { maxThroughput, anonymityLevel, censorshipResistance, supportsDomains, supportsIPv6, persistentAddresses, accessControl } =
    capabilities
  const yes = (value: boolean): string => (value ? 'yes' : 'no')
  return [
    ['Carries', carries(capabilities)],
    ['Hides', `${hides(capabilities)} (anonymity: ${anonymityLevel}; resistance to blocking: ${censorshipResistance})`],
    ['Round trips', latencyWords(capabilities)],
    ['Throughput', Number.isFinite(maxThroughput) ? `at most ${rate(maxThroughput)}` : 'limited by the machine only'],
    ['Addresses', persistentAddresses ? 'kept under a name across restarts' : 'new ones at every start'],
    ['Domains', yes(supportsDomains)],
    ['IPv6', yes(supportsIPv6)],
    ['Access', accessControl ? 'can be limited to keys or a secret word' : 'cannot be limited'],
  ]
}

/** What the design says about round trips. Nothing of it was measured. */
function latencyWords(capabilities: BackendCapabilities): string {
  const latency = designLatency(capabilities)
  return latency === undefined ? 'nothing is declared' : `up to ${latency.boundMs} ms without queues (${latency.source})`
}
