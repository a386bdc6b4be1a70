/**
 * Two hosts on one local network, a third one with DHT nodes: network namespaces joined by a bridge, with private addresses. Runs in
 * namespaces of its own (network, mounts, processes), where nothing can leave and everything ends with this process. Prints one JSON
 * document with what came out. Plain JavaScript, because it is started without a loader. Use: node hosts-scenario.mjs SCENE
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beamIn } from './scenario-beam.mjs'

/** Longest until something that was cut is to work again. */
const AGAIN_MS = 60_000
const HOSTS = { publisher: '10.77.0.1', visitor: '10.77.0.2', nodes: '10.77.0.3' }
/** Where the publisher moves to. */
const MOVED = '10.77.0.9'
const BODY = 'the service behind the other host'

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] })
const inside = (host) => ['ip', 'netns', 'exec', host]

function connectHosts() {
  execFileSync('mount', ['-t', 'tmpfs', 'none', '/run'])
  mkdirSync('/run/netns')
  ip('link', 'set', 'lo', 'up')
  ip('link', 'add', 'lan', 'type', 'bridge')
  ip('link', 'set', 'lan', 'up')
  for (const [host, address] of Object.entries(HOSTS)) {
    ip('netns', 'add', host)
    ip('link', 'add', `to-${host}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host)
    ip('link', 'set', `to-${host}`, 'master', 'lan', 'up')
    ip('-n', host, 'link', 'set', 'lo', 'up')
    ip('-n', host, 'address', 'add', `${address}/24`, 'dev', 'eth0')
    ip('-n', host, 'link', 'set', 'eth0', 'up')
  }
}

/** Starts a program on a host; resolves with its first line. */
async function start(host, program, ...args) {
  const [command, ...words] = [...inside(host), program, ...args]
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return line.trim()
}

const startService = () =>
  start(
    'publisher',
    process.execPath,
    '-e',
    `require('node:http').createServer((_, r) => r.end(${JSON.stringify(BODY)})).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
  )

/** What curl gets on a host; empty when it fails. */
async function curl(host, ...args) {
  const [command, ...words] = [...inside(host), 'curl', '--silent', '--noproxy', '*', '--max-time', '5', ...args]
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  await once(child, 'close')
  return output
}

/** The addresses that a name has on the LAN, asked for on the visitor's host by somebody who has no Beam. */
async function lookUp(name) {
  const script = fileURLToPath(new URL('mdns-query.mjs', import.meta.url))
  const [command, ...words] = [...inside('visitor'), process.execPath, script, name, HOSTS.visitor]
  return JSON.parse(execFileSync(command, words, { encoding: 'utf8' }))
}

/** Milliseconds until `works` resolves with true; undefined when it does not in time. */
async function timeUntil(works) {
  const begin = performance.now()
  while (performance.now() - begin < AGAIN_MS) {
    if (await works()) return Math.round(performance.now() - begin)
    await sleep(200)
  }
  return undefined
}

function move() {
  ip('-n', 'publisher', 'address', 'del', `${HOSTS.publisher}/24`, 'dev', 'eth0')
  ip('-n', 'publisher', 'address', 'add', `${MOVED}/24`, 'dev', 'eth0')
}

const on = (host, env) => ({ prefix: inside(host), env: { ...env, BEAM_HOME: join(process.env.BEAM_HOME, host) } })
const addressOf = ({ tunnel }) => tunnel.endpoints[0].address

const MULTICAST = { BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'on', BEAM_P2P_PORTMAP: 'off' }

/** Finding by multicast, and what happens when the publisher gets another address and when its cable is pulled. */
async function multicast() {
  const publisher = beamIn(on('publisher', MULTICAST), await startService())
  const address = addressOf(await publisher.until('ready'))
  const visitor = beamIn(on('visitor', MULTICAST), 'connect', address)
  const { port, path } = await visitor.until('listening')
  const works = async () => (await curl('visitor', `http://127.0.0.1:${port}/`)) === BODY
  const found = await works()
  move()
  const afterMoveMs = await timeUntil(works)
  ip('-n', 'publisher', 'link', 'set', 'eth0', 'down')
  const whileDown = await works()
  await sleep(2_000)
  ip('-n', 'publisher', 'link', 'set', 'eth0', 'up')
  const afterCutMs = await timeUntil(works)
  const exitCodes = [await visitor.interrupt(), await publisher.interrupt()]
  return { found, remoteAddress: path.remoteAddress, afterMoveMs, whileDown, afterCutMs, exitCodes }
}

/** A browser without Beam on the same network. */
async function browser() {
  const publisher = beamIn(on('publisher', MULTICAST), await startService(), '--lan', '--domain', 'myapp.local')
  await publisher.until('ready')
  const { message } = publisher.events.find(({ code }) => code === 'BEAM_WARN_LAN')
  const lanPort = /myapp\.local:(\d+)/.exec(message)?.[1]
  let addresses = []
  await timeUntil(async () => (addresses = await lookUp('myapp.local')).length > 0)
  const page = await curl('visitor', '--resolve', `myapp.local:${lanPort}:${addresses[0]}`, `http://myapp.local:${lanPort}/`)
  move()
  const followedMs = await timeUntil(async () => (await lookUp('myapp.local')).join() === MOVED)
  const exitCodes = [await publisher.interrupt()]
  return { message, addresses, page, followedMs, gone: await lookUp('myapp.local'), exitCodes }
}

/** Finding by the DHT, before and after the publisher got another address. */
async function dht() {
  const script = fileURLToPath(new URL('dht-nodes.mjs', import.meta.url))
  const bootstrap = await start('nodes', process.execPath, script, HOSTS.nodes)
  const env = { BEAM_P2P_BOOTSTRAP: bootstrap, BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }
  const publisher = beamIn(on('publisher', env), await startService())
  const address = addressOf(await publisher.until('ready'))
  /** A new visitor, who knows nothing but the address; the path it took, once it works. */
  const visit = async () => {
    const visitor = beamIn(on('visitor', env), 'connect', address)
    try {
      const { port, path } = await visitor.until('listening')
      return (await curl('visitor', `http://127.0.0.1:${port}/`)) === BODY ? path : undefined
    } catch {
      return undefined
    } finally {
      await visitor.interrupt()
    }
  }
  let path
  const foundMs = await timeUntil(async () => (path = await visit()) !== undefined)
  const before = path?.remoteAddress
  move()
  const followedMs = await timeUntil(async () => (path = await visit())?.remoteAddress?.startsWith(MOVED) === true)
  return { foundMs, before, followedMs, exitCodes: [await publisher.interrupt()] }
}

const scene = { multicast, browser, dht }[process.argv[2]]
connectHosts()
console.log(JSON.stringify(await scene()))
process.exit(0)
