import { createSocket } from 'node:dgram'
import {
  capabilities,
  connectsDirectly,
  failsWhenStopped,
  isRunning,
  leak,
  leakSocket,
  looksUp,
  onlyOnce,
  opensWhenMade,
  slowWhenStopped,
  tellsAddress,
  type FlawRow,
} from './flaw-parts.ts'

/** What can be wrong with the calls, with access, names and anonymity, with messages and sites. */
export const CONTRACT_FLAWS: readonly FlawRow[] = [
  // lifecycle
  ['a listener opened while it is made', ['constructor-no-io'], (backend) => opensWhenMade(backend)],
  [
    'initialize that works once',
    ['initialize-twice'],
    (backend) => ({ initialize: onlyOnce(backend.initialize.bind(backend), 'initialized twice') }),
  ],
  ['initialize that does not heed its signal', ['initialize-abort'], (backend) => ({ initialize: () => backend.initialize() })],
  [
    'a timer left running',
    ['dispose-leaves-nothing'],
    (backend) => ({ initialize: async (options) => (leak(setInterval(() => {}, 1_000).unref()), backend.initialize(options)) }),
  ],
  [
    'a socket left open',
    ['dispose-leaves-nothing'],
    (backend) => ({ initialize: async (options) => (await leakSocket(), backend.initialize(options)) }),
  ],
  [
    'a timer left by a failed start',
    ['start-failure-leaves-nothing'],
    (backend) => ({
      startTunnel: async (...args) => {
        const timer = setInterval(() => {}, 1_000).unref()
        const info = await backend.startTunnel(...args).catch((error: unknown) => (leak(timer), Promise.reject(error as Error)))
        clearInterval(timer)
        return info
      },
    }),
  ],
  [
    'disposal that works once',
    ['dispose-twice'],
    (backend) => ({ [Symbol.asyncDispose]: onlyOnce(backend[Symbol.asyncDispose].bind(backend), 'disposed twice') }),
  ],
  [
    'disposal that needs initialize',
    ['dispose-idle'],
    (backend) => {
      let initialized = false
      return {
        initialize: async (options) => ((initialized = true), backend.initialize(options)),
        [Symbol.asyncDispose]: async () => (initialized ? backend[Symbol.asyncDispose]() : Promise.reject(new Error('not initialized'))),
      }
    },
  ],
  // contract
  [
    'capabilities that change',
    ['capabilities-constant'],
    (backend) => {
      let maxThroughput = 1
      return {
        initialize: async (options) => ((maxThroughput = 2), backend.initialize(options)),
        getCapabilities: () => ({ ...backend.getCapabilities(), maxThroughput }),
      }
    },
  ],
  [
    'capabilities that open a socket',
    ['capabilities-no-io'],
    (backend) => ({ getCapabilities: () => (createSocket('udp4').bind(0, '127.0.0.1').unref().close(), backend.getCapabilities()) }),
  ],
  [
    'a status that rejects after disposal',
    ['status-never-rejects'],
    (backend) => ({ getStatus: async () => failsWhenStopped(await backend.getStatus()) }),
  ],
  ['a status that takes its time', ['status-prompt'], (backend) => ({ getStatus: async () => slowWhenStopped(await backend.getStatus()) })],
  [
    'a status without tunnels',
    ['status-tunnels', 'id-taken', 'service-absent'],
    (backend) => ({ getStatus: async () => ({ ...(await backend.getStatus()), tunnels: [] }) }),
  ],
  [
    'stopTunnel that wants a running tunnel',
    ['stop-twice', 'stop-unknown'],
    (backend) => ({ stopTunnel: async (id) => (await isRunning(backend, id), backend.stopTunnel(id)) }),
  ],
  [
    'stopTunnel that stops nothing',
    ['start-failure-leaves-nothing', 'status-tunnels', 'stop-ends-tunnel'],
    () => ({ stopTunnel: async () => {} }),
  ],
  [
    'one id for all tunnels',
    ['start-failure-leaves-nothing', 'status-tunnels', 'stop-ends-tunnel', 'id-unique', 'id-kept', 'service-absent', 'domain-resolves'],
    (backend) => ({ startTunnel: async (...args) => ({ ...(await backend.startTunnel(...args)), id: 'the-same' }) }),
  ],
  [
    'ids that nobody asked for',
    ['start-failure-leaves-nothing', 'id-kept', 'id-taken'],
    (backend) => ({ startTunnel: async (port, { id: _, ...options } = {}) => backend.startTunnel(port, options) }),
  ],
  [
    'a port that is no port',
    ['start-failure-leaves-nothing', 'port-invalid'],
    (backend) => ({
      startTunnel: async (port, options) => backend.startTunnel(port > 0 && port < 65_536 ? Math.floor(port) : 9, options),
    }),
  ],
  [
    'a signal that startTunnel wraps',
    ['start-abort-before', 'start-abort-during'],
    (backend) => ({
      startTunnel: async (port, { signal, ...options } = {}) => {
        await Promise.resolve()
        if (signal?.aborted === true) throw new Error('aborted', { cause: signal.reason })
        return backend.startTunnel(port, options)
      },
    }),
  ],
  [
    'addresses that no event tells',
    ['address-event'],
    (backend) => ({ startTunnel: async (port, { onEvent: _, ...options } = {}) => backend.startTunnel(port, options) }),
  ],
  ['endpoints that canDial does not know', ['endpoint-dialable'], () => ({ canDial: () => false })],
  ['canDial that knows everything', ['can-dial'], () => ({ canDial: () => true })],
  [
    'a path of another backend',
    ['reach-path'],
    (backend) => ({ reach: async (...args) => ({ ...(await backend.reach(...args)), backend: 'another' }) }),
  ],
  [
    'a signal that dial wraps',
    ['dial-abort-before', 'dial-abort-during'],
    (backend) => ({
      dial: async (address, { signal, ...options } = {}) => {
        await Promise.resolve()
        if (signal?.aborted === true) throw new Error('aborted', { cause: signal.reason })
        return backend.dial(address, options)
      },
    }),
  ],
  // access, domains, addresses
  [
    'everybody let in',
    ['access-refused', 'access-secret-wrong'],
    (backend) => ({ startTunnel: async (port, { access: _, ...options } = {}) => backend.startTunnel(port, options) }),
  ],
  [
    'nobody let in who shows a key or a word',
    ['access-allowed', 'access-secret-right'],
    (backend) => ({ dial: async (address, { identity: _, secret: __, ...options } = {}) => backend.dial(address, options) }),
  ],
  [
    'a domain that is not claimed',
    ['domain-resolves'],
    (backend) => ({
      registerDomain: async (domain) => ({
        domain,
        exclusive: true,
        address: (await backend.getStatus()).tunnels[0]?.endpoints[0]?.address ?? '',
      }),
    }),
  ],
  [
    'a domain option that is ignored',
    ['domain-option'],
    (backend) => ({ startTunnel: async (port, { domain: _, ...options } = {}) => backend.startTunnel(port, options) }),
  ],
  [
    'unknown domains resolved to something',
    ['domain-unknown'],
    (backend) => ({ resolveDomain: (...args) => backend.resolveDomain(...args).catch(() => 'memory://parking') }),
  ],
  ['no domains, and no word of it', ['domain-unsupported'], (backend) => capabilities(backend, { supportsDomains: false })],
  [
    'names that keep no address',
    ['address-persistent', 'keys-move'],
    (backend) => ({ startTunnel: async (port, { name: _, ...options } = {}) => backend.startTunnel(port, options) }),
  ],
  ['keys that are not there', ['keys-move'], () => ({ exportKeys: async () => undefined })],
  // anonymity
  ['a direct connection', ['no-direct-connection'], (backend) => connectsDirectly(backend)],
  [
    'a DNS look-up',
    ['no-dns-lookup'],
    (backend) => ({ reach: async (...args) => (await looksUp('publisher.invalid'), backend.reach(...args)) }),
  ],
  ['a visitor’s address told', ['visitor-address-hidden'], (backend) => tellsAddress(backend)],
  // messages and sites
  [
    'messages cut short',
    ['message-exact'],
    (backend) => ({
      send: (address, message, options) =>
        backend.send(address, message.length > backend.maxMessageBytes ? message : message.subarray(0, 1_000), options),
    }),
  ],
  [
    'messages of any size',
    ['message-size-limit'],
    (backend) => ({ send: (address, message, options) => backend.send(address, message.subarray(0, backend.maxMessageBytes), options) }),
  ],
  [
    'handlers that cannot be taken back',
    ['message-unsubscribe'],
    (backend) => ({ onMessage: (handler) => (backend.onMessage(handler), () => {}) }),
  ],
  [
    'a site with a changed file',
    ['site-published'],
    () => ({}),
    { fetchSite: async (_, path) => (path === 'missing.html' ? Promise.reject(new Error('not found')) : Buffer.from('another')) },
  ],
  ['a site published in spite of the signal', ['site-abort'], (backend) => ({ publishSite: (folder) => backend.publishSite(folder) })],
]
