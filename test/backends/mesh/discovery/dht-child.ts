// A process that uses the DHT, closes it and must then end by itself: node dht-child.ts <situation> <bootstrap node>
import { DhtNode, dhtDiscovery } from '../../../../backends/mesh/discovery/index.ts'
import { announcementOf, until } from './announcement.ts'
import { udpHandles } from './open-handles.ts'

const [situation, bootstrap = ''] = process.argv.slice(2)
const node = new DhtNode({ bootstrap: situation === 'none' ? 'none' : [bootstrap] })
const discovery = dhtDiscovery({ node })
const announced = discovery.announce(announcementOf({ domain: 'a.local', onStream: (stream) => stream.destroy() }))
if (situation === 'announced') await until(() => announced.state === 'announced')
if (situation === 'unreachable') await until(() => announced.state === 'failed')
const started = Date.now()
await discovery.close()
await node.close()
console.log(JSON.stringify({ closedWithinMs: Date.now() - started, udp: udpHandles() }))
