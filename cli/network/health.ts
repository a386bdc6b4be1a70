import { timeText } from '../output/network/words.ts'
import type { Snapshot } from './ask.ts'
import { quantile } from './figures.ts'

/** What one check found. `unknown`: there is nothing measured to judge by. */
export interface Check {
  readonly what: string
  readonly verdict: 'good' | 'warning' | 'bad' | 'unknown'
  readonly text: string
}

/** A node's health: the worst of what is known. */
export interface Health {
  readonly verdict: 'good' | 'warning' | 'bad'
  readonly checks: readonly Check[]
}

/** Peers below which one loss matters, and round trips that are slow: what the customer's guide calls concerning. */
const FEW_PEERS = 3
const SLOW_MS = 100
const TOO_SLOW_MS = 500
/** What others think does not count here: a peer below this broke its word more often than it kept it. */
const DISTRUSTED = 0.25

/** Judges a node by what was measured of it. */
export function healthOf({ status, peers }: Pick<Snapshot, 'status' | 'peers'>): Health {
  const checks = status.running
    ? [
        peersCheck(peers),
        diversity(peers),
        directions(peers),
        latency(peers),
        trust(peers),
        discovery(status),
        reachable(status),
        ...whole(status),
        ...clock(status),
      ]
    : [{ what: 'node', verdict: 'warning', text: 'no node is up: nothing needed one yet' } as const, discovery(status)]
  const verdict = checks.some((check) => check.verdict === 'bad')
    ? 'bad'
    : checks.some((check) => check.verdict === 'warning')
      ? 'warning'
      : 'good'
  return { verdict, checks }
}

type Peers = Snapshot['peers']

function peersCheck(peers: Peers): Check {
  const text =
    peers.length === 0
      ? 'no peer: the node knows nobody, or nobody answers'
      : `${peers.length} linked${peers.length < FEW_PEERS ? `; with fewer than ${FEW_PEERS}, the loss of one matters` : ''}`
  return { what: 'peers', verdict: peers.length === 0 ? 'bad' : peers.length < FEW_PEERS ? 'warning' : 'good', text }
}

function diversity(peers: Peers): Check {
  const prefixes = peers.flatMap(({ prefix }) => (prefix === undefined ? [] : [prefix]))
  if (prefixes.length < FEW_PEERS)
    return { what: 'diversity', verdict: 'unknown', text: 'too few peers with an address of the Internet to tell' }
  const networks = new Set(prefixes).size
  return {
    what: 'diversity',
    verdict: networks * 2 < prefixes.length ? 'warning' : 'good',
    text: `${networks} networks among ${prefixes.length} peers`,
  }
}

/** Who dials a node could surround it; whom it dials itself it chose. */
function directions(peers: Peers): Check {
  if (peers.length === 0) return { what: 'own choice', verdict: 'unknown', text: 'no peers' }
  const own = peers.filter(({ direction }) => direction === 'out').length
  return {
    what: 'own choice',
    verdict: own * 2 < peers.length ? 'warning' : 'good',
    text: `${own} of ${peers.length} links were dialled by this node`,
  }
}

function latency(peers: Peers): Check {
  const measured = peers.flatMap(({ latencyMs }) => latencyMs ?? [])
  const median = quantile(measured, 0.5)
  if (median === undefined) return { what: 'latency', verdict: 'unknown', text: 'not measured yet' }
  const verdict = median > TOO_SLOW_MS ? 'bad' : median > SLOW_MS ? 'warning' : 'good'
  return { what: 'latency', verdict, text: `half of the peers answer within ${median.toFixed(median < 10 ? 1 : 0)} ms` }
}

function trust(peers: Peers): Check {
  if (peers.length === 0) return { what: 'trust', verdict: 'unknown', text: 'no peers' }
  const few = peers.filter((peer) => peer.trust < DISTRUSTED).length
  return {
    what: 'trust',
    verdict: few * 2 > peers.length ? 'bad' : few > 0 ? 'warning' : 'good',
    text: few === 0 ? 'no peer broke its word' : `${few} of ${peers.length} peers broke their word`,
  }
}

function discovery({ discovery: sources }: Snapshot['status']): Check {
  const on = sources.filter(({ state }) => state !== 'off')
  const ready = on.filter(({ state }) => state === 'ready').map(({ name }) => name)
  const lost = on.filter(({ state }) => state === 'unreachable').map(({ name }) => name)
  const text = [...(ready.length > 0 ? [`${ready.join(', ')} ready`] : []), ...(lost.length > 0 ? [`${lost.join(', ')} not reached`] : [])]
  if (text.length === 0) return { what: 'discovery', verdict: 'unknown', text: 'nothing was looked for yet' }
  return { what: 'discovery', verdict: ready.length === 0 ? 'bad' : lost.length > 0 ? 'warning' : 'good', text: text.join('; ') }
}

/** Said only when there is something to say: that it is whole cannot be measured. */
function whole({ partition }: Snapshot['status']): Check[] {
  if (partition === undefined) return []
  const { lost, heard } = partition
  return [
    {
      what: 'whole',
      verdict: 'warning',
      text: `${lost} nodes fell silent at once, ${heard} are still heard: the network may be cut in two`,
    },
  ]
}

/** The same: clocks are compared only where messages come. A wrong one makes records and gossip look forged or old, here and at others. */
function clock({ clock: suspicion }: Snapshot['status']): Check[] {
  if (suspicion === undefined) return []
  const { offsetMs, nodes } = suspicion
  const by = timeText(Math.abs(offsetMs))
  const text = `${nodes} nodes say that it is ${by} ${offsetMs > 0 ? 'later' : 'earlier'}: set this machine’s clock, or its news and records count for nothing`
  return [{ what: 'clock', verdict: 'bad', text }]
}

function reachable({ addresses = [], relays = [], inbound = 0, portMap }: Snapshot['status']): Check {
  const ways = [
    ...(portMap?.state === 'mapped' ? ['the router forwards a port to it'] : []),
    ...(inbound > 0 ? [`${inbound} ${inbound === 1 ? 'peer' : 'peers'} dialled this node`] : []),
    ...(relays.length > 0 ? [`${relays.length} ${relays.length === 1 ? 'relay answers' : 'relays answer'} for its services`] : []),
  ]
  if (ways.length > 0) return { what: 'reachable', verdict: 'good', text: ways.join('; ') }
  return {
    what: 'reachable',
    verdict: 'unknown',
    text: addresses.length > 0 ? 'it listens; nobody dialled it yet' : 'it is dialled by nobody, and needs no relay now',
  }
}
