/** Stands between Beam and a backend that others wrote: what comes out of it has the shape that the contract promises, or is an error. */
import { Duplex } from 'node:stream'
import { Ajv2020 } from 'ajv/dist/2020.js'
import {
  isBeamError,
  isDialler,
  isKeyKeeper,
  isOperable,
  MAX_KEY_MATERIAL_BYTES,
  PluginError,
  type BackendCapabilities,
  type BackendStatus,
  type Dialler,
  type NetworkBackend,
  type Operable,
  type TunnelEvent,
  type TunnelInfo,
  type TunnelOptions,
} from '../core/index.ts'
import { unattributed } from './attribution.ts'

/** Longest text that a backend may say at a time: an address, a reason, a warning. Longer ones would flood terminals and logs. */
const MAX_TEXT = 4_096
/** Endpoints of one tunnel. */
const MAX_ENDPOINTS = 64
/** Events of one tunnel in one second; a backend that says more is cut short, since each costs a line of output. */
const MAX_EVENTS_PER_SECOND = 100
/** Largest answer of an operation, as JSON: what a person reads, and what the control API carries in one piece. */
const MAX_ANSWER_BYTES = 256 * 1024

const text = { type: 'string', maxLength: MAX_TEXT }
const level = { enum: ['none', 'low', 'medium', 'high'] }
const endpoint = {
  type: 'object',
  required: ['backend', 'address', 'state', 'reveals'],
  properties: {
    backend: text,
    address: { ...text, minLength: 1 },
    state: { enum: ['announcing', 'active', 'down'] },
    reveals: { type: 'array', items: text, maxItems: 32 },
  },
}
const tunnel = {
  type: 'object',
  required: ['id', 'endpoints'],
  properties: { id: { ...text, minLength: 1 }, endpoints: { type: 'array', items: endpoint, maxItems: MAX_ENDPOINTS } },
}
// The schemas are our own: to check them too takes several times as long as to compile them, at every start.
const ajv = new Ajv2020({ strict: false, meta: false, validateSchema: false })

const isCapabilities = ajv.compile<BackendCapabilities>({
  type: 'object',
  required: [
    'supportsDomains',
    'supportsIPv6',
    'anonymityLevel',
    'censorshipResistance',
    'delivery',
    'exposesPublisherIp',
    'exposesVisitorIp',
    'persistentAddresses',
    'accessControl',
  ],
  properties: {
    supportsDomains: { type: 'boolean' },
    supportsIPv6: { type: 'boolean' },
    anonymityLevel: level,
    censorshipResistance: level,
    delivery: { enum: ['stream', 'message', 'site'] },
    exposesPublisherIp: { type: 'boolean' },
    exposesVisitorIp: { type: 'boolean' },
    persistentAddresses: { type: 'boolean' },
    accessControl: { type: 'boolean' },
    relays: { type: 'integer', minimum: 0, maximum: 1_000 },
    holdMs: { type: 'number', minimum: 0, maximum: 86_400_000 },
  },
})
const isTunnelInfo = ajv.compile<TunnelInfo>(tunnel)
const isStatus = ajv.compile<BackendStatus>({
  type: 'object',
  required: ['state', 'tunnels'],
  properties: {
    state: { enum: ['idle', 'starting', 'running', 'degraded', 'stopping', 'stopped', 'failed'] },
    message: text,
    tunnels: { type: 'array', items: tunnel, maxItems: 10_000 },
  },
})
const isEvent = ajv.compile<TunnelEvent>({
  type: 'object',
  required: ['type'],
  oneOf: [
    {
      properties: { type: { const: 'progress' }, phase: text, percent: { type: 'number', minimum: 0, maximum: 100 }, message: text },
      required: ['phase', 'message'],
    },
    { properties: { type: { const: 'address' }, address: { ...text, minLength: 1 } }, required: ['address'] },
    {
      properties: {
        type: { const: 'state' },
        address: { ...text, minLength: 1 },
        state: { enum: ['announcing', 'active', 'down'] },
        reason: text,
      },
      required: ['address', 'state', 'reason'],
    },
    { properties: { type: { const: 'warning' }, code: text, message: text }, required: ['code', 'message'] },
  ],
})
const isProgress = ajv.compile({
  type: 'object',
  required: ['phase', 'message'],
  properties: { phase: text, percent: { type: 'number', minimum: 0, maximum: 100 }, message: text },
})
const isPath = ajv.compile({
  type: 'object',
  required: ['backend', 'kind', 'hops'],
  properties: {
    backend: text,
    kind: text,
    hops: { type: 'integer', minimum: 0, maximum: 1_000 },
    latencyMs: { type: 'number', minimum: 0 },
  },
})

/** The methods that every backend has. */
const METHODS = [
  'initialize',
  'startTunnel',
  'stopTunnel',
  'getStatus',
  'resolveDomain',
  'registerDomain',
  'getCapabilities',
  'getNetworkStats',
] as const

/**
 * The backend that a plugin made, with everything that it says checked.
 * @throws PluginError when it is no backend, has another name, or capabilities of another shape.
 */
export function guardBackend(made: unknown, plugin: string): NetworkBackend {
  const backend = asBackend(made, plugin)
  const garbage = (what: string): PluginError =>
    new PluginError(`The backend ${plugin} broke its contract: ${what}.`, { hint: `This is a fault of the plugin ${plugin}, not of Beam.` })
  const guarded: Partial<Record<string, unknown>> = {
    name: plugin,
    async initialize({ onProgress, ...options }: NonNullable<Parameters<NetworkBackend['initialize']>[0]> = {}) {
      await backend.initialize({
        ...options,
        ...(onProgress === undefined ? {} : { onProgress: (progress) => isProgress(progress) && onProgress(progress) }),
      })
    },
    async startTunnel(port: number, options: TunnelOptions = {}) {
      const { onStream, onEvent } = options
      const info = await backend.startTunnel(port, {
        ...options,
        onEvent: guardEvents(onEvent === undefined ? undefined : (event) => unattributed(() => onEvent(event)), garbage),
        ...(onStream === undefined ? {} : { onStream: (stream, visitor) => unattributed(() => onStream(stream, visitor)) }),
      })
      if (!isTunnelInfo(info)) throw garbage('startTunnel gave no tunnel with an id and endpoints')
      return info
    },
    async getStatus() {
      const status = await backend.getStatus()
      if (!isStatus(status)) throw garbage('getStatus gave no status')
      return status
    },
    async resolveDomain(...args: Parameters<NetworkBackend['resolveDomain']>) {
      const address: unknown = await backend.resolveDomain(...args)
      if (typeof address !== 'string' || address.length > MAX_TEXT) throw garbage('resolveDomain gave no address')
      return address
    },
  }
  if (isDialler(backend)) {
    guarded['dial'] = async (...args: Parameters<Dialler['dial']>) => {
      const stream: unknown = await backend.dial(...args)
      if (!(stream instanceof Duplex)) throw garbage('dial gave no stream')
      return stream
    }
    guarded['reach'] = async (...args: Parameters<Dialler['reach']>) => {
      const path: unknown = await backend.reach(...args)
      if (!isPath(path)) throw garbage('reach gave no path')
      return path
    }
  }
  if (isOperable(backend)) {
    guarded['operate'] = async (...args: Parameters<Operable['operate']>) => asAnswer(await backend.operate(...args), garbage)
  }
  if (isKeyKeeper(backend)) {
    guarded['exportKeys'] = async (name: string) => {
      const material: unknown = await backend.exportKeys(name)
      if (material === undefined) return material
      if (!(material instanceof Uint8Array) || material.length > MAX_KEY_MATERIAL_BYTES) throw garbage('exportKeys gave no keys')
      return material
    }
  }
  return new Proxy(backend, {
    get(target, key) {
      if (typeof key === 'string' && key in guarded) return guarded[key]
      const value: unknown = Reflect.get(target, key, target)
      // Bound, because private fields of the backend cannot be reached through a proxy.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** What failed inside a plugin, as an error that names it. Errors of Beam's own kind say enough by themselves. */
export function blame(plugin: string, what: string, error: unknown): Error {
  if (isBeamError(error)) return error
  if (error instanceof Error && error.name === 'AbortError') return error
  const message = error instanceof Error ? error.message : String(error)
  return new PluginError(`The plugin ${plugin} failed while ${what}: ${message}`, { cause: error })
}

function asBackend(made: unknown, plugin: string): NetworkBackend {
  const fail = (why: string): PluginError => new PluginError(`The plugin ${plugin} made no backend: ${why}.`)
  if (made instanceof Promise) {
    made.catch(() => {})
    throw fail('create returned a promise; what takes time belongs into initialize')
  }
  if (typeof made !== 'object' || made === null) throw fail(`create returned ${made === null ? 'null' : typeof made}`)
  const backend = made as NetworkBackend & Record<string, unknown>
  const missing = METHODS.filter((method) => typeof backend[method] !== 'function')
  if (missing.length > 0) throw fail(`it lacks ${missing.join(', ')}`)
  if (typeof backend[Symbol.asyncDispose] !== 'function') throw fail('it lacks [Symbol.asyncDispose]')
  if (backend.name !== plugin) throw fail(`it calls itself ${JSON.stringify(backend.name)}`)
  const capabilities: BackendCapabilities = backend.getCapabilities()
  if (!isCapabilities(capabilities)) {
    throw fail(`its capabilities are wrong: ${ajv.errorsText(isCapabilities.errors, { dataVar: 'capabilities' })}`)
  }
  // Apart from the schema, which knows no infinite numbers.
  if (typeof capabilities.maxThroughput !== 'number' || !(capabilities.maxThroughput >= 0))
    throw fail('its maxThroughput is no number of bytes per second')
  return backend
}

/** The answer of an operation as other processes will see it: a copy, so that nothing changes it later. */
function asAnswer(answer: unknown, garbage: (what: string) => PluginError): Readonly<Record<string, unknown>> {
  const json = JSON.stringify(answer) as string | undefined
  if (json === undefined || !json.startsWith('{')) throw garbage('an operation gave no object')
  if (Buffer.byteLength(json) > MAX_ANSWER_BYTES) throw garbage(`an operation gave more than ${MAX_ANSWER_BYTES} bytes`)
  return JSON.parse(json) as Record<string, unknown>
}

/** Passes on events that are events, and not more than anybody can read. */
function guardEvents(onEvent: TunnelOptions['onEvent'], garbage: (what: string) => PluginError): (event: TunnelEvent) => void {
  let second = 0
  let count = 0
  let complained = false
  const complain = (what: string): void => {
    if (complained) return
    complained = true
    onEvent?.({ type: 'warning', code: 'BEAM_WARN_PLUGIN', message: garbage(what).message })
  }
  return (event) => {
    const now = Math.floor(performance.now() / 1_000)
    if (now !== second) [second, count] = [now, 0]
    count += 1
    if (count > MAX_EVENTS_PER_SECOND && event.type !== 'state') return complain(`more than ${MAX_EVENTS_PER_SECOND} events in a second`)
    if (!isEvent(event)) return complain('it told of something that is no tunnel event')
    onEvent?.(event)
  }
}
