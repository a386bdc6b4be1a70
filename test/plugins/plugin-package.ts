import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The text of a module that exports a plugin; `over` replaces members of the backend, `before` is run when the module is loaded. */
export function pluginCode(name: string, options: { over?: string; before?: string; plugin?: string; schema?: string } = {}): string {
  const { over = '', before = '', plugin = '', schema = '{ type: "object" }' } = options
  return `
${before}
const capabilities = {
  supportsDomains: false, supportsIPv6: false, maxThroughput: 1, anonymityLevel: 'none', censorshipResistance: 'none', delivery: 'stream',
  exposesPublisherIp: false, exposesVisitorIp: false, persistentAddresses: true, accessControl: true,
}
const make = (context) => {
  const tunnels = new Map()
  return {
    name: '${name}',
    async initialize() {},
    async startTunnel(port, { id }) {
      const info = { id, backend: '${name}', port, endpoints: [{ backend: '${name}', address: '${name}://' + id, state: 'active', reveals: [] }] }
      tunnels.set(id, info)
      return info
    },
    async stopTunnel(id) { tunnels.delete(id) },
    async getStatus() { return { state: 'running', tunnels: [...tunnels.values()] } },
    async resolveDomain() { throw new Error('none') },
    async registerDomain() { throw new Error('none') },
    getCapabilities: () => capabilities,
    async getNetworkStats() { return {} },
    async [Symbol.asyncDispose]() {},
    ${over}
  }
}
export default { name: '${name}', apiVersion: 1, configSchema: ${schema}, create: make, ${plugin} }
`
}

/** Writes a package with a plugin; `files` are written as they are. */
export async function writePackage(
  folder: string,
  files: Readonly<Record<string, string>>,
  manifest: object = { beam: { plugin: './index.mjs', apiVersion: 1 } },
): Promise<string> {
  const all = { 'package.json': JSON.stringify({ name: 'a-plugin', version: '1.2.3', ...manifest }), ...files }
  for (const [file, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  return folder
}
