/**
 * A publisher and a visitor behind translators of two kinds, with a node of the mesh and a DHT on public machines between them. Prints one
 * JSON document: by which way they were first linked and by which after a while, and what was measured. Use: node nat-scenario.mjs KIND KIND
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beamIn } from '../scenario-beam.mjs'
import { buildLab, FORWARDED, inside } from './nat-lab.mjs'

const [kindA, kindB] = process.argv.slice(2)
const VISITOR = fileURLToPath(new URL('nat-visitor.mjs', import.meta.url))
const DHT_NODES = fileURLToPath(new URL('../dht-nodes.mjs', import.meta.url))
const BULK_BYTES = 16 << 20

buildLab(kindA, kindB)

/** A program on a host; resolves with its first line. */
async function start(host, ...words) {
  const [command, ...args] = [...inside(host), process.execPath, ...words]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return line.trim()
}

/** Everybody is another user: none finds another by a file on this machine. */
function homeOf(host) {
  const home = join(process.env.BEAM_HOME, host)
  mkdirSync(home, { recursive: true })
  return home
}

const service = `
  require('node:http').createServer((request, response) => {
    if (request.url === '/bulk') response.end(Buffer.alloc(${BULK_BYTES}, 'x'))
    else response.end('the service behind the translator')
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`

const bootstrap = await start('pub', DHT_NODES, '44.0.0.1', '44.0.0.2')
const common = { BEAM_P2P_BOOTSTRAP: bootstrap, BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }
const node = beamIn({ prefix: inside('pub'), env: { ...common, BEAM_HOME: homeOf('pub') } }, 'node', '--bind', '44.0.0.1', '--port', '4001')
const { addresses } = await node.until('node')
const env = { ...common, BEAM_P2P_PEERS: addresses.join(',') }

const port = await start('hA', '-e', service)
// Where ports are forwarded, the user has told Beam which.
const fixed =
  kindA === 'fullcone' ? { BEAM_P2P_PORT: String(FORWARDED.from + 10), BEAM_P2P_ANNOUNCE: `44.0.0.11:${FORWARDED.from + 10}` } : {}
const publisher = beamIn({ prefix: inside('hA'), env: { ...env, ...fixed, BEAM_HOME: homeOf('hA') } }, port)
const { tunnel } = await publisher.until('ready')
const [program, ...words] = [...inside('hB'), process.execPath, VISITOR, tunnel.endpoints[0].address]
const visitor = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env, BEAM_HOME: homeOf('hB') } })
let output = ''
visitor.stdout.setEncoding('utf8').on('data', (text) => (output += text))
await once(visitor, 'close')
const exitCodes = [visitor.exitCode, await publisher.interrupt(), await node.interrupt()]
console.log(JSON.stringify({ ...JSON.parse(output || '{}'), exitCodes }))
process.exit(0)
