/**
 * An HTTP server without a port of its own, published on the mesh and reached from a second Beam instance. The two find each other in the
 * registry of this user's Beam processes: the DHT and the local network are switched off, so nothing leaves this machine.
 *
 * Run it with: npx tsx --conditions=beam:source examples/02-http-over-the-mesh.ts
 */
import { createServer } from 'node:http'
import { createBeam } from 'beam-tunnel'

const server = createServer((request, response) => response.end(`You asked for ${request.url ?? '/'}\n`))

// No DHT, no announcements on the LAN, no port mapping; links are accepted on the loopback interface only.
const config = {
  backends: [{ name: 'mesh', config: { bootstrap: [], mdns: 'off', portmap: 'off', listen: { host: '127.0.0.1' } } }],
}

await using publisher = await createBeam({ config })
const tunnel = await publisher.listen(server)
const { endpoints, access } = tunnel.snapshot()
for (const { address, reveals } of endpoints) console.log(address, '–', reveals.join(' '))
console.log(access)

await using visitor = await createBeam({ config })
const connection = await visitor.connect(endpoints[0]?.address ?? '')
const answer = await fetch(`http://${connection.host}:${connection.port}/hello`)
console.log(await answer.text())
