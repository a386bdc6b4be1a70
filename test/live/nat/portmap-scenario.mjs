/**
 * A publisher behind a router that opens ports when it is asked, a visitor on a public machine, and nobody who relays. Prints one JSON document.
 * Use: node portmap-scenario.mjs pcp|upnp
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beamIn } from '../scenario-beam.mjs'
import { mappedPorts, startIgd } from './igd.mjs'
import { buildLab, inside } from './nat-lab.mjs'

const [protocol] = process.argv.slice(2)
const VISITOR = fileURLToPath(new URL('nat-visitor.mjs', import.meta.url))
const DHT_NODES = fileURLToPath(new URL('../dht-nodes.mjs', import.meta.url))
const LIMIT_MS = 30_000
const BULK_BYTES = 16 << 20

buildLab('igd', 'cone')
const igd = startIgd('natA', '10.1.0', { natPmp: protocol === 'pcp', folder: join(process.env.BEAM_HOME, 'igd') })

/** A program on a host; resolves with its first line. */
async function start(host, ...words) {
  const [command, ...args] = [...inside(host), process.execPath, ...words]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return line.trim()
}

function homeOf(host) {
  const home = join(process.env.BEAM_HOME, host)
  mkdirSync(home, { recursive: true })
  return home
}

async function until(look) {
  const deadline = performance.now() + LIMIT_MS
  for (;;) {
    const found = look()
    if (found !== undefined || performance.now() > deadline) return found
    await sleep(100)
  }
}

const service = `
  require('node:http').createServer((request, response) => {
    if (request.url === '/bulk') response.end(Buffer.alloc(${BULK_BYTES}, 'x'))
    else response.end('the service behind the router')
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`

const bootstrap = await start('pub', DHT_NODES, '44.0.0.1', '44.0.0.2')
const env = { BEAM_P2P_BOOTSTRAP: bootstrap, BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'on' }
const port = await start('hA', '-e', service)
const publisher = beamIn({ prefix: inside('hA'), env: { ...env, BEAM_HOME: homeOf('hA') } }, port)
const { tunnel } = await publisher.until('ready')
const told = await until(() => publisher.events.find(({ phase }) => phase === 'portmap'))
const mapped = mappedPorts('natA')
const [program, ...words] = [...inside('pub2'), process.execPath, VISITOR, tunnel.endpoints[0].address]
const visitor = spawn(program, words, {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, ...env, BEAM_P2P_PORTMAP: 'off', BEAM_HOME: homeOf('pub2') },
})
let output = ''
visitor.stdout.setEncoding('utf8').on('data', (text) => (output += text))
await once(visitor, 'close')
const exitCodes = [visitor.exitCode, await publisher.interrupt()]
console.log(JSON.stringify({ ...JSON.parse(output || '{}'), message: told?.message, mapped, left: mappedPorts('natA'), exitCodes }))
igd.kill()
process.exit(0)
