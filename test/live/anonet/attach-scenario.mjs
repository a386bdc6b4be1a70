/** A line of three hosts with a mesh that is not Beam's, A–B–C, and Beam attached to it. Use: node attach-scenario.mjs BEAM-FOLDER */
import { readdirSync } from 'node:fs'
import { join as path } from 'node:path'
import { bareMesh, meshAddress } from '../../helpers/anonet-ring/bare-mesh.mjs'
import { BeamUser, eventually } from '../../helpers/anonet-ring/beams.mjs'
import { addHosts, cut, ip, join, mend, on, start } from '../../helpers/anonet-ring/hosts.mjs'

const [, , BEAM] = process.argv
const FOLDER = path(process.env.HOME, 'bare')
const report = {}

addHosts(['A', 'B', 'C'])
join('A', 'B', 1)
join('B', 'C', 2)
const sockets = await bareMesh(
  FOLDER,
  ['A', 'B', 'C'],
  [
    ['A', 'B'],
    ['B', 'C'],
  ],
)
const user = (host, config = {}) => new BeamUser(BEAM, host, { birdSocket: sockets[host], ...config })
const service = `require('node:http').createServer((q,r)=>r.end('for '+q.headers.host)).listen(3000,'127.0.0.1')`
start('A', [process.execPath, '-e', service])

/** What a page is on a host; empty when it cannot be had. */
function page(host, url) {
  try {
    return on(host, 'curl', '--silent', '--max-time', '3', url)
  } catch {
    return ''
  }
}

const a = user('A')
const publishing = a.stay('3000', '--backend', 'anonet')
const { tunnel } = await publishing.until('ready')
report.address = tunnel.endpoints[0].address
await eventually('C reaches A', () => page('C', report.address))
report.listens = on('A', 'ss', '-Hltn', 'sport = :3000')
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/)[3])
  .toSorted()

const connecting = user('C').stay('connect', report.address, '--port', '8080')
await connecting.until('listening')
report.page = page('C', 'http://127.0.0.1:8080/')
const { meshes } = await a.json('anonet', 'status')
report.status = {
  mode: meshes[0].mode,
  sessions: meshes[0].sessions,
  wireguard: Object.keys(meshes[0].wireguard),
  announcedByBeam: meshes[0].announcedByBeam,
}
report.handshake = meshes[0].wireguard.wAB.peers[0].lastHandshake > 0
report.keysShown = JSON.stringify(meshes).match(/private|preshared/gi)

// Only B may come in.
const restricted = a.stay('3000', '--backend', 'anonet', '--anonet-port', '3100', '--anonet-sources', '21.2.0.0/24')
await restricted.until('ready')
report.sources = { B: page('B', `http://${meshAddress('A')}:3100/`), C: page('C', `http://${meshAddress('A')}:3100/`) }
report.taken = await a.run('3000', '--backend', 'anonet', '--anonet-port', '3100')
await restricted.interrupt()

// The only link of A dies; BFD says so, and it comes back.
cut('B', 'A')
await eventually('A says that it is down', () => publishing.events.some(({ event }) => event === 'down'))
mend('B', 'A')
await eventually('A says that it is back', () => publishing.events.some(({ event }) => event === 'up'))
report.exitCodes = [await connecting.interrupt(), await publishing.interrupt()]

// An address that nobody announces: Beam has BIRD do it while it publishes, and no longer.
ip('-n', 'A', 'addr', 'add', '21.7.0.1/32', 'dev', 'lo')
const files = () => readdirSync(path(FOLDER, 'A', 'beam.d'))
const other = user('A', { address: '21.7.0.1' })
const routed = () => on('C', 'ip', 'route', 'show', '21.7.0.1').trim() !== ''
const announcing = other.stay('3000', '--backend', 'anonet')
await announcing.until('ready')
await eventually('C has a route', routed)
report.announced = { files: files(), page: page('C', 'http://21.7.0.1:3000/') }
await announcing.interrupt()
await eventually('C has no route', () => !routed())
report.withdrawn = files()

const killed = other.stay('3000', '--backend', 'anonet')
await killed.until('ready')
await eventually('C has a route again', routed)
killed.child.kill('SIGKILL')
await killed.closed
report.leftByTheKilled = files()
const next = user('A', { address: meshAddress('A') }).stay('3000', '--backend', 'anonet')
await next.until('ready')
report.afterTheNext = files()
await eventually('C has no route after the next start', () => !routed())
await next.interrupt()

report.errors = {
  noAddress: await user('B', { address: '21.9.9.9' }).run('3000', '--backend', 'anonet'),
  several: await user('A', {}).run('3000', '--backend', 'anonet'),
  noBird: await user('B', { birdSocket: '/nowhere/bird.ctl' }).run('3000', '--backend', 'anonet'),
}
process.stdout.write(JSON.stringify(report))
process.exit(0)
