import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a plugin of a network is that takes its time: it says how far it is, and can be asked while it starts. */
const SOURCE = `
const wait = (ms, signal) => new Promise((resolve, reject) => {
  const onAbort = () => { clearTimeout(timer); reject(signal.reason) }
  const timer = setTimeout(() => { signal?.removeEventListener('abort', onAbort); resolve() }, ms)
  signal?.addEventListener('abort', onAbort, { once: true })
})
class Slow {
  name = 'slow'
  operations = [
    { name: 'status', description: 'How far it is.', changes: false },
    { name: 'echo', description: 'Says what it was told.', changes: false },
    { name: 'fail', description: 'Cannot be done.', changes: true },
    { name: 'flood', description: 'Says too much.', changes: false },
  ]
  #config
  #percent = 0
  #tunnels = new Map()
  constructor(config) { this.#config = config }
  async initialize({ signal, onProgress } = {}) {
    const { steps = 4, stepMs = 50, stuckAt = 101 } = this.#config
    for (let step = 0; step <= steps; step++) {
      this.#percent = Math.round((step / steps) * 100)
      onProgress?.({ phase: step < steps / 2 ? 'connecting' : 'circuits', percent: this.#percent, message: step < steps / 2 ? 'connecting to a relay' : 'building circuits' })
      if (this.#percent >= stuckAt) { onProgress?.({ phase: 'stalled', percent: this.#percent, message: 'no relay answers: is this machine online?' }); await wait(600000, signal) }
      await wait(stepMs, signal)
    }
  }
  async operate(operation, input = {}) {
    if (operation === 'status') return { percent: this.#percent, tunnels: this.#tunnels.size }
    if (operation === 'echo') return { input }
    if (operation === 'flood') return { text: 'x'.repeat(300000) }
    throw Object.assign(new Error('it cannot be done'), { name: 'Error' })
  }
  async startTunnel(port, { id = 'one', onEvent, signal, network } = {}) {
    const address = 'http://' + (network?.word ?? 'slow') + '.example'
    onEvent?.({ type: 'address', address })
    onEvent?.({ type: 'progress', phase: 'publishing', message: 'publishing the service' })
    await wait(this.#config.stepMs ?? 50, signal)
    onEvent?.({ type: 'progress', phase: 'published', message: 'published' })
    await wait(this.#config.stepMs ?? 50, signal)
    const info = { id, backend: 'slow', port, endpoints: [{ backend: 'slow', address, state: 'active', reveals: [] }] }
    this.#tunnels.set(id, info)
    return info
  }
  async stopTunnel(id) { this.#tunnels.delete(id) }
  async getStatus() { return { state: 'running', tunnels: [...this.#tunnels.values()] } }
  async resolveDomain() { throw new Error('no domains') }
  async registerDomain() { throw new Error('no domains') }
  getCapabilities() {
    return { supportsDomains: false, supportsIPv6: false, maxThroughput: 1e6, anonymityLevel: 'high', censorshipResistance: 'high', delivery: 'stream',
      exposesPublisherIp: false, exposesVisitorIp: false, persistentAddresses: false, accessControl: false }
  }
  async getNetworkStats() { return {} }
  canDial(address) { return address.endsWith('.example') }
  dialReveals() { return [] }
  async reach() { return { backend: 'slow', kind: 'slow', hops: 3 } }
  async dial() { throw new Error('nobody there') }
  async [Symbol.asyncDispose]() {}
}
export default { name: 'slow', apiVersion: 1, configSchema: { type: 'object' }, create: ({ config }) => new Slow(config) }
`

/**
 * Puts a network that takes its time into a folder, with a configuration that uses it.
 *
 * @param config - `steps`, `stepMs`, and `stuckAt`: the percentage at which it gets no further
 */
export async function slowNetwork(folder: string, config: Readonly<Record<string, number>> = {}, more: object = {}): Promise<void> {
  const plugin = join(folder, 'slow')
  await mkdir(plugin, { recursive: true })
  await writeFile(
    join(plugin, 'package.json'),
    JSON.stringify({ name: 'slow', type: 'module', beam: { plugin: './index.mjs', apiVersion: 1 } }),
  )
  await writeFile(join(plugin, 'index.mjs'), SOURCE)
  await writeFile(join(folder, 'beam.config.yaml'), JSON.stringify({ plugins: ['./slow'], backends: [{ name: 'slow', config }], ...more }))
}
