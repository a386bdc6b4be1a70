import { PROMISE_IDS } from '../../core/testing/index.ts'
import { losesByte, replaces } from './flawed.ts'
import { altersFirstStream, altersStreams, atMost, diesAfter, failsEvery, sevenBits, type FlawRow } from './flaw-parts.ts'

/** What remains of the contract without a single stream. */
const NEEDS_NO_STREAM =
  /^(constructor|initialize|dispose-(twice|idle)|start-|capabilities|status|stop-(twice|unknown)|id-|port|address|can-dial|reach|isolation|keys-move|access-.*(refused|wrong)|domain|message|site)/
const NEEDS_A_STREAM = PROMISE_IDS.filter((id) => !NEEDS_NO_STREAM.test(id))

/** What can be wrong with streams. */
export const STREAM_FLAWS: readonly FlawRow[] = [
  // streams
  ['a network that reaches nobody', NEEDS_A_STREAM, () => ({ dial: () => Promise.reject(new Error('nobody there')) })],
  [
    'a byte lost on its way to the visitor',
    ['bytes-to-visitor', 'half-close-visitor', 'http-chunked'],
    altersStreams(() => ({ toVisitor: losesByte(350_000) })),
  ],
  [
    'a byte lost on its way to the service',
    ['bytes-to-service', 'half-close-service', 'half-close-untouched', 'http-chunked'],
    altersStreams(() => ({ toService: losesByte(400_000) })),
  ],
  ['an end that ends both directions', ['half-close-visitor'], altersStreams(() => ({ noHalfClose: true }))],
  ['a reset that arrives as an end', ['reset-from-service', 'service-absent'], altersStreams(() => ({ resetBecomesEnd: true }))],
  ['a visitor’s reset that arrives as an end', ['reset-from-visitor'], altersStreams(() => ({ visitorResetBecomesEnd: true }))],
  [
    'the local port used in spite of onStream',
    ['on-stream', 'visitor-address-hidden'],
    (backend) => ({ startTunnel: async (port, { onStream: _, ...options } = {}) => backend.startTunnel(port, options) }),
  ],
  ['streams that can be linked', ['isolation'], () => ({}), { linkable: async () => true }],
  // load
  ['a few streams at most', ['parallel-streams', 'stalled-readers'], (backend) => atMost(backend, 6)],
  ['readers in the way of others', ['stalled-readers'], (backend) => atMost(backend, 10)],
  ['bytes hoarded for the visitor', ['backpressure-to-visitor'], altersFirstStream({ hoards: 'visitor' })],
  ['bytes hoarded for the service', ['backpressure-to-service'], altersFirstStream({ hoards: 'service' })],
  ['a session that dies of resets', ['resets-in-a-row'], (backend) => diesAfter(backend, 25)],
  [
    'every tenth connection failing',
    ['stalled-readers', 'resets-in-a-row', 'sequential-connections'],
    (backend) => failsEvery(backend, 10),
  ],
  // compatibility
  [
    'HTTP connections that are not kept',
    ['http-keep-alive'],
    altersStreams(() => ({ toService: replaces('Connection: keep-alive', 'Connection: close     ') })),
  ],
  [
    'upgrades taken out of requests',
    ['websocket'],
    altersStreams(() => ({ toService: replaces('upgrade: websocket', 'x-grade: websocket') })),
  ],
  [
    'events held back',
    ['server-sent-events'],
    altersStreams(() => ({ toVisitor: (chunk) => (chunk.includes('event 3') ? Buffer.alloc(0) : chunk) })),
  ],
  [
    'seven bits of each byte',
    [
      'bytes-to-visitor',
      'bytes-to-service',
      'half-close-visitor',
      'half-close-service',
      'half-close-untouched',
      'parallel-streams',
      'http-chunked',
      'websocket',
      'binary-protocol',
    ],
    altersStreams(() => ({ toService: sevenBits, toVisitor: sevenBits })),
  ],
]
