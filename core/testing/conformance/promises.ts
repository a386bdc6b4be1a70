/** The chapters of the suite, in the order in which they run. */
export const CHAPTERS = [
  'lifecycle',
  'contract',
  'streams',
  'load',
  'compatibility',
  'reliability',
  'access',
  'domains',
  'anonymity',
  'messages',
  'sites',
] as const

/** A group of promises. */
export type Chapter = (typeof CHAPTERS)[number]

/** What a backend promises, in one sentence each. core/backend.ts and powers.ts have the same names in brackets, docs/conformance.md the same sentences. */
export const PROMISES = {
  'constructor-no-io': ['lifecycle', 'Making a backend opens nothing on the network.'],
  'initialize-twice': ['lifecycle', 'Repeating initialize is harmless.'],
  'initialize-abort': ['lifecycle', 'initialize rejects with the reason of a signal that has fired.'],
  'dispose-twice': ['lifecycle', 'Disposing twice is harmless.'],
  'dispose-idle': ['lifecycle', 'Disposing what was never initialized is harmless.'],
  'dispose-leaves-nothing': [
    'lifecycle',
    'After disposal no socket, timer or child process is left, also with a tunnel and a stream open.',
  ],
  'start-failure-leaves-nothing': ['lifecycle', 'A startTunnel that failed leaves no tunnel, socket or timer.'],

  'capabilities-constant': ['contract', 'Capabilities are the same before, during and after use.'],
  'capabilities-no-io': ['contract', 'Capabilities are known without I/O.'],
  'status-never-rejects': ['contract', 'getStatus never rejects, in no state.'],
  'status-prompt': ['contract', 'getStatus answers within a second.'],
  'status-tunnels': ['contract', 'getStatus lists every running tunnel and no other.'],
  'stop-twice': ['contract', 'Stopping a tunnel twice is harmless.'],
  'stop-unknown': ['contract', 'Stopping an unknown tunnel is harmless.'],
  'stop-ends-tunnel': ['contract', 'A stopped tunnel has no open streams and takes no new ones.'],
  'id-unique': ['contract', 'Tunnels have different ids.'],
  'id-kept': ['contract', 'A tunnel has the id that was asked for.'],
  'id-taken': ['contract', 'An id in use is refused, and the tunnel that has it lives.'],
  'port-invalid': ['contract', 'What is no port is refused with a ConfigError.'],
  'start-abort-before': ['contract', 'startTunnel rejects with the reason of a signal that has fired.'],
  'start-abort-during': ['contract', 'startTunnel rejects with the reason of a signal that fires while it waits.'],
  'address-event': ['contract', 'Every address is told by an event.'],
  'endpoint-dialable': ['contract', 'Every endpoint has an address that can be dialled.'],
  'can-dial': ['contract', 'canDial says no to what is no address of the network.'],
  'reach-path': ['contract', 'reach says by which path.'],
  'dial-abort-before': ['contract', 'dial rejects with the reason of a signal that has fired.'],
  'dial-abort-during': ['contract', 'dial rejects with the reason of a signal that fires while it waits.'],

  echo: ['streams', 'A short exchange works.'],
  'on-stream': ['streams', 'onStream takes the streams instead of the local port.'],
  'bytes-to-visitor': ['streams', 'Bytes reach a slow visitor exactly (SHA-256).'],
  'bytes-to-service': ['streams', 'Bytes reach a slow service exactly (SHA-256).'],
  'half-close-visitor': ['streams', 'After the visitor’s end the service’s bytes still arrive.'],
  'half-close-service': ['streams', 'After the service’s end the visitor’s bytes still arrive.'],
  'half-close-untouched': ['streams', 'A service that ends before it reads anything still gets all bytes.'],
  'reset-from-service': ['streams', 'A reset by the service reaches the visitor as a reset.'],
  'reset-from-visitor': ['streams', 'A reset by the visitor reaches the service as a reset.'],
  'service-absent': ['streams', 'Without a local service the stream is reset or the dial fails, and the tunnel lives.'],
  isolation: ['streams', 'Streams with different isolation values cannot be linked by the network.'],

  'parallel-streams': ['load', 'Many streams work at once.'],
  'backpressure-to-visitor': ['load', 'A visitor that does not read stops the service’s writing.'],
  'backpressure-to-service': ['load', 'A service that does not read stops the visitor’s writing.'],
  'stalled-readers': ['load', 'Visitors that do not read do not block another one.'],
  'resets-in-a-row': ['load', 'A tunnel outlives many resets in a row.'],

  'http-keep-alive': ['compatibility', 'Several HTTP/1.1 requests work on one connection.'],
  'http-chunked': ['compatibility', 'HTTP/1.1 bodies of unknown length work both ways.'],
  websocket: ['compatibility', 'A WebSocket can be opened and used both ways.'],
  'server-sent-events': ['compatibility', 'Server-sent events arrive one by one, not when the response ends.'],
  'binary-protocol': ['compatibility', 'Pipelined binary requests and responses work.'],

  'sequential-connections': ['reliability', 'Connections one after the other all succeed.'],

  'access-allowed': ['access', 'A visitor with an allowed key gets in.'],
  'access-refused': ['access', 'A visitor with another key, or none, does not reach the service.'],
  'access-secret-right': ['access', 'A visitor with the right word gets in.'],
  'access-secret-wrong': ['access', 'A visitor with a wrong word, or none, does not reach the service.'],

  'domain-resolves': ['domains', 'A registered domain resolves to the tunnel’s address, also for others.'],
  'domain-option': ['domains', 'A domain given to startTunnel resolves to the tunnel.'],
  'domain-unknown': ['domains', 'An unclaimed domain is reported as not found.'],
  'domain-unsupported': ['domains', 'A network without domains says so.'],
  'address-persistent': ['domains', 'The same name gives the same address after a restart.'],
  'keys-move': ['domains', 'With a tunnel’s exported keys another backend gives the same address.'],

  'no-direct-connection': ['anonymity', 'The two ends are not connected directly.'],
  'no-dns-lookup': ['anonymity', 'No name is looked up in the DNS.'],
  'visitor-address-hidden': ['anonymity', 'The publisher is not told the visitor’s network address.'],

  'message-exact': ['messages', 'Messages that arrive are what was sent, also the largest.'],
  'message-size-limit': ['messages', 'A message above the limit is refused.'],
  'message-unsubscribe': ['messages', 'After unsubscribing nothing is heard.'],

  'site-published': ['sites', 'Every file of a published site is found unchanged.'],
  'site-abort': ['sites', 'publishSite rejects with the reason of a signal that has fired.'],
} as const satisfies Record<string, readonly [Chapter, string]>

/** The name of a promise. */
export type PromiseId = keyof typeof PROMISES

/** All names, in the order of the suite. */
export const PROMISE_IDS = Object.keys(PROMISES) as readonly PromiseId[]
