// A process that announces one service in the registry until its input ends: node registry-child.ts <runtime folder> <port> <domain>
import { once } from 'node:events'
import { registryDiscovery } from '../../../../backends/mesh/discovery/registry.ts'
import { announcementOf, until } from './announcement.ts'

const [runtimeFolder = '', port, domain = ''] = process.argv.slice(2)
const registry = registryDiscovery({ runtimeFolder })
const announcement = announcementOf({ port: Number(port), domain })
const announced = registry.announce(announcement)
await until(() => announced.state === 'announced')
console.log(Buffer.from(announcement.serviceKey).toString('hex'))
await once(process.stdin.resume(), 'end')
await registry.close()
