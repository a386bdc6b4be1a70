/**
 * The ring A–B–C–D–A in network namespaces: a mesh made by hand, Beam attached to it, and the same ring once more kept by Beam. C visits a
 * service of A over two links. Prints the rounds as JSON. Use: node scenario.mjs BEAM-FOLDER ROUNDS BYTES
 */
import { once } from 'node:events'
import { join as path } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bareMesh, meshAddress } from '../../helpers/anonet-ring/bare-mesh.mjs'
import { BeamUser, befriend, eventually } from '../../helpers/anonet-ring/beams.mjs'
import { addHosts, join, on, start } from '../../helpers/anonet-ring/hosts.mjs'

const [, , BEAM, ROUNDS, BYTES] = process.argv
const CONNECTIONS = 40
const LINKS = [
  ['A', 'B'],
  ['B', 'C'],
  ['C', 'D'],
  ['D', 'A'],
]
const HOSTS = ['A', 'B', 'C', 'D']
const script = (name) => fileURLToPath(new URL(name, import.meta.url))

addHosts(HOSTS)
for (const [k, [a, b]] of LINKS.entries()) join(a, b, k + 1)
const sockets = await bareMesh(path(process.env.HOME, 'bare'), HOSTS, LINKS)
const users = Object.fromEntries(HOSTS.map((host) => [host, new BeamUser(BEAM, host, { mode: 'managed', nickname: host })]))
for (const [k, [a, b]] of LINKS.entries()) await befriend(users[a], users[b], k + 1)

for (const [host, port] of [
  [meshAddress('A'), 5000],
  ['127.0.0.1', 5001],
]) {
  await once(start('A', [process.execPath, script('origin.mjs'), host, String(port)]).stdout, 'data')
}

const attached = (host) => new BeamUser(BEAM, host, { mode: 'attach', birdSocket: sockets[host] }, `${host}-attached`)
const staying = []
async function stays(user, ...args) {
  const command = user.stay(...args)
  staying.push(command)
  return command.until(args[0] === 'connect' ? 'listening' : 'ready')
}
const one = (await stays(attached('A'), '5001', '--backend', 'anonet')).tunnel.endpoints[0].address
await eventually('C has a route to A', () => on('C', 'ip', 'route', 'show', '21.1.0.0/24').trim() !== '')
const toAttached = await stays(attached('C'), 'connect', one, '--port', '8080')
const kept = (await stays(users.A, '5001', '--backend', 'anonet')).tunnel.endpoints[0].address
for (const host of ['B', 'D']) await stays(users[host], '5002', '--backend', 'anonet')
const toKept = await stays(users.C, 'connect', kept, '--port', '8081')

const ways = [
  { name: 'bare', host: meshAddress('A'), port: 5000 },
  { name: 'attached', host: meshAddress('A'), port: Number(new URL(one).port) },
  { name: 'attached-both', host: '127.0.0.1', port: toAttached.port },
  { name: 'managed', host: '127.0.0.1', port: toKept.port },
]
const measure = ({ host, port }, bytes) =>
  JSON.parse(on('C', process.execPath, script('visit.mjs'), host, String(port), String(CONNECTIONS), String(bytes)))
for (const way of ways) measure(way, 8 << 20)
const rounds = Object.fromEntries(ways.map(({ name }) => [name, []]))
for (let round = 0; round < Number(ROUNDS); round++) {
  for (const index of ways.keys()) {
    const way = ways[(index + round) % ways.length]
    rounds[way.name].push(measure(way, Number(BYTES)))
  }
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`)
}
for (const command of staying) await command.interrupt()
process.stdout.write(JSON.stringify(rounds))
process.exit(0)
