/**
 * A tunnel without any network: the memory backend, which works inside one process. It shows the two ends and what passes between them;
 * with another backend nothing else changes.
 *
 * Run it with: npx tsx --conditions=beam:source examples/01-echo-in-memory.ts
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createBeam, definePlugin } from 'beam-tunnel'
import { MemoryBackend, MemoryNetwork } from 'beam-tunnel/testing'

// A local service: it sends back what it gets.
const service = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
await once(service, 'listening')
const { port } = service.address() as AddressInfo

// A backend is a plugin: a value with a name, a schema for its configuration, and a function that makes it.
const network = new MemoryNetwork()
const memory = definePlugin({
  name: 'memory',
  apiVersion: 1,
  configSchema: { type: 'object' },
  create: () => new MemoryBackend({ network }),
})
const options = { plugins: [memory], config: { backends: [{ name: 'memory' }] } }

{
  await using publisher = await createBeam(options)
  const tunnel = await publisher.publish(port, { onEvent: ({ event }) => console.log('publisher:', event) })
  const [endpoint] = tunnel.snapshot().endpoints

  await using visitor = await createBeam(options)
  const connection = await visitor.connect(endpoint?.address ?? '', { onEvent: ({ event }) => console.log('visitor:', event) })

  const socket = connect(connection.port, connection.host)
  socket.end('hello through the tunnel')
  console.log('echo:', await text(socket))
}
service.close()
