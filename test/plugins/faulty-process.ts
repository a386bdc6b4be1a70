/** A process of its own for faults.test.ts: publishes on a plugin with faults and on one without, and prints what happened. */
import { createBeam } from '../../plugins/index.ts'
import { silentLogger, type Logger } from '../../core/index.ts'
import { echoServer } from '../core/tunnels/puppet-backend.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'

const [folder = '', mode] = process.argv.slice(2)
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`)
const logger: Logger = { ...silentLogger, error: (message, fields) => say({ message, ...fields }), child: () => logger }
const paths = await temporaryPaths()
const echo = await echoServer()
const beam = await createBeam({
  config: { plugins: ['./tin'], backends: [{ name: 'tin' }, { name: 'memory' }] },
  folder,
  plugins: [memoryPlugin()],
  paths,
  env: {},
  logger,
})
const tunnel = await beam.publish(echo.port, { strategy: 'load-balance' })
await new Promise((resolve) => setTimeout(resolve, 150))
const address = tunnel.snapshot().endpoints.find(({ backend }) => backend === 'memory')?.address ?? ''
const stream = await beam.openStream(address)
stream.end('bytes flow')
const chunks: Buffer[] = []
for await (const chunk of stream) chunks.push(chunk as Buffer)
say({ echoed: Buffer.concat(chunks).toString() })
if (mode === 'ours')
  setTimeout(() => {
    throw new Error('a fault of ours')
  }, 1)
else await beam[Symbol.asyncDispose]()
await echo.close()
await paths[Symbol.asyncDispose]()
say({ listeners: process.listenerCount('unhandledRejection') + process.listenerCount('uncaughtException') })
