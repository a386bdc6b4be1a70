import type { PeerFigures, PeriodFigures } from '../../../cli/network/answers.ts'
import type { Snapshot } from '../../../cli/network/ask.ts'

/** A key of a node as text, the same for the same number. */
export const nodeId = (index: number): string =>
  `a${String.fromCharCode(97 + (index % 26))}${index % 10 < 2 ? 2 : index % 8}`.padEnd(56, 'q2w7')

/** A peer somewhere, with everything measured. */
export function peer(index: number, over: Partial<PeerFigures> = {}): PeerFigures {
  return {
    id: nodeId(index),
    direction: index % 3 === 0 ? 'in' : 'out',
    trust: 0.7,
    ageMs: 60_000 * index,
    busy: index === 1,
    latencyMs: 5 + 12 * index,
    host: `192.0.2.${index}`,
    prefix: `192.${index}.2.0/24`,
    source: 'gossip',
    participation: 'routing',
    links: 12,
    coordinate: { position: [10 * index, index % 2 === 0 ? 20 : -15, 3], height: 1, error: 0.2 },
    ...over,
  }
}

/** A node with peers. */
export function snapshot(peers: readonly PeerFigures[], over: Partial<Snapshot['status']> = {}): Snapshot {
  return {
    owner: { pid: 4711, role: 'command' },
    peers,
    status: {
      running: true,
      id: nodeId(0),
      keyKept: true,
      participation: 'routing',
      maxPeers: 50,
      routing: 'enabled',
      caching: 'enabled',
      strategy: 'quality',
      startedAt: 1_800_000_000_000,
      addresses: [`beam-node:${nodeId(0)}@198.51.100.7:4001`],
      peers: peers.length,
      inbound: peers.filter(({ direction }) => direction === 'in').length,
      known: 80,
      heard: 120,
      records: 33,
      relays: [`/ip4/203.0.113.9/tcp/4001/beam-relay/${nodeId(3)}`],
      discovery: [
        { name: 'registry', state: 'ready' },
        { name: 'mdns', state: 'off' },
        { name: 'dht', state: 'ready', peers: 40, detail: 'through bootstrap.example.net:49737' },
      ],
      relayed: { streams: 23, openStreams: 2, refused: 1, bytes: 1_234_000_000, peersHelped: 45, reservations: 3 },
      coordinate: { position: [0, 0, 0], height: 1, error: 0.2 },
      ...over,
    },
  }
}

/** A period of an hour that was half measured. */
export function period(over: Partial<PeriodFigures> = {}): PeriodFigures {
  const since = 1_800_000_000_000
  return {
    since,
    until: since + 3_600_000,
    samples: 30,
    oldest: since + 1_800_000,
    upMs: 1_620_000,
    streams: 23,
    bytes: 1_234_000_000,
    refused: 1,
    peers: { mean: 12.5, least: 3, most: 20 },
    latencyMs: { mean: 45, least: 12, most: 80 },
    discoverable: 0.987,
    buckets: Array.from({ length: 30 }, (_, index) => ({
      at: since + 1_800_000 + index * 60_000,
      samples: 1,
      upMs: 60_000,
      peers: 3 + (index % 17),
      latencyMs: 12 + 2 * index,
      discoverable: 1,
      heard: 100,
      streams: index % 2,
      bytes: index * 1_000_000,
      refused: 0,
    })),
    ...over,
  }
}
