/** A process of its own for bad-neighbour.test.ts: bytes flow through a tunnel of one backend while another one misbehaves. */
import { createHash } from 'node:crypto'
import { silentLogger, type Logger } from '../../core/index.ts'
import { createBeam } from '../../plugins/index.ts'
import { echoServer } from '../core/tunnels/puppet-backend.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'

const [folder = ''] = process.argv.slice(2)
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`)
let logged = 0
const write = (message: string, fields?: object): void => {
  logged += 1
  if (logged <= 20) say({ message, ...fields })
}
const logger: Logger = { ...silentLogger, error: write, warn: write, child: () => logger }
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

const good = await beam.publish(echo.port, { backends: ['memory'] })
const stream = await beam.openStream(good.snapshot().endpoints[0]?.address ?? '')
const [sent, received] = [createHash('sha256'), createHash('sha256')]
const bytes = { sent: 0, received: 0 }
const read = (async () => {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    received.update(chunk)
    bytes.received += chunk.length
  }
})()
let flowing = true
const wrote = (async () => {
  for (let count = 0; flowing; count += 1) {
    const chunk = Buffer.alloc(16 * 1024, count % 251)
    sent.update(chunk)
    bytes.sent += chunk.length
    await new Promise<void>((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
})()

/** Waits until this much more has come back. */
async function flow(more: number): Promise<void> {
  const goal = bytes.received + more
  while (bytes.received < goal) await new Promise((resolve) => setTimeout(resolve, 5))
}

await flow(100_000)
const bad = await beam.publish(echo.port, { backends: ['tin'], signal: AbortSignal.timeout(600) }).then(
  () => 'it started',
  (error: unknown) => (error as Error).message,
)
say({ bad })
await new Promise((resolve) => setTimeout(resolve, 200))
await flow(500_000)
flowing = false
await wrote
stream.end()
await read
say({ intact: bytes.sent === bytes.received && sent.digest('hex') === received.digest('hex') })
await beam[Symbol.asyncDispose]()
await echo.close()
await paths[Symbol.asyncDispose]()
say({ ended: true, logged })
// What a plugin leaks must not keep the test waiting; whether Beam itself leaves anything is another test.
process.exit()
