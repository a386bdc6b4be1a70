/**
 * Keeps this process on loopback: a TCP connect, UDP send, DNS look-up or multicast join to anything else fails, is written to stderr and
 * to the file named by BEAM_LOOPBACK_LOG, where the test that caused it finds it even if the code under test swallowed the error.
 *
 * Plain JavaScript without imports of ours, so that `node --import` can load it into child processes on every supported Node. Programs that
 * are not Node (ssh, python) are out of its reach; the namespace test in test/live covers what leaves a whole process tree.
 */
import { appendFileSync } from 'node:fs'
import dgram from 'node:dgram'
import dns from 'node:dns'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const MDNS_GROUP = '224.0.0.251'

const LOOPBACK = new net.BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** IPv4-mapped addresses (::ffff:127.0.0.1) count as what they map to; BlockList sees to that. */
const isLoopback = (host) =>
  net.isIP(host) === 0 ? /^([^.]+\.)*localhost\.?$/i.test(host) : LOOPBACK.check(host, net.isIPv6(host) ? 'ipv6' : 'ipv4')

function refuse(what) {
  const error = Object.assign(new Error(`loopback-only: ${what} was refused: tests never leave this machine`), { code: 'EPERM' })
  const log = process.env.BEAM_LOOPBACK_LOG
  if (log) appendFileSync(log, `${what}\n${error.stack?.split('\n').slice(2, 7).join('\n')}\n`)
  process.stderr.write(`${error.message} (pid ${process.pid})\n`)
  return error
}

/** Replaces a method by one that asks `check` first; `check` returns true to go on and answers the caller itself otherwise. */
function guard(target, name, check) {
  const original = target?.[name]
  if (typeof original !== 'function' || original.loopbackOnly) return
  const guarded = function (...args) {
    return check.call(this, args, original)
  }
  guarded.loopbackOnly = true
  target[name] = guarded
}

const lastFunction = (args) => (typeof args.at(-1) === 'function' ? args.at(-1) : undefined)

// TCP. net.connect, tls.connect, http, http2 and fetch all end in this method.
guard(net.Socket.prototype, 'connect', function (args, connect) {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args
  const isPath = typeof first === 'string' && !(Number(first) >= 0)
  const options = typeof first === 'object' && first !== null ? first : isPath ? { path: first } : { port: first, host: second }
  const host = typeof options.host === 'string' && options.host !== '' ? options.host : 'localhost'
  if (options.path === undefined && !isLoopback(host)) return this.destroy(refuse(`TCP connect to ${host}:${options.port}`))
  if (options.lookup !== undefined) {
    this.prependListener('lookup', (error, address) => {
      if (!error && !isLoopback(String(address))) this.destroy(refuse(`TCP connect to ${host} = ${address}`))
    })
  }
  return connect.apply(this, args)
})

// UDP through node:dgram.
const multicastInterface = new WeakMap()

function throughLoopback(socket) {
  const chosen = multicastInterface.get(socket)
  if (chosen !== undefined) return isLoopback(chosen)
  try {
    return isLoopback(socket.address().address)
  } catch {
    return false // not bound: the system picks the interface
  }
}

function isConnected(socket) {
  try {
    socket.remoteAddress()
    return true
  } catch {
    return false
  }
}

guard(dgram.Socket.prototype, 'send', function (args, send) {
  const callback = lastFunction(args)
  const plain = callback ? args.slice(0, -1) : args
  // send(message, port, host) or send(message, offset, length, port, host): node's own rule to tell them apart.
  const address = isConnected(this) ? undefined : plain[4] || plain[3] ? plain[4] : plain[2]
  const allowed = !address || isLoopback(address) || (address === MDNS_GROUP && throughLoopback(this))
  if (allowed) return send.apply(this, args)
  const error = refuse(`UDP send to ${address}`)
  process.nextTick(() => (callback ? callback(error) : this.emit('error', error)))
})
guard(dgram.Socket.prototype, 'connect', function (args, connect) {
  if (typeof args[1] === 'string' && !isLoopback(args[1])) throw refuse(`UDP connect to ${args[1]}`)
  return connect.apply(this, args)
})
guard(dgram.Socket.prototype, 'setMulticastInterface', function (args, set) {
  multicastInterface.set(this, String(args[0]))
  return set.apply(this, args)
})
for (const [name, interfaceAt] of [
  ['addMembership', 1],
  ['addSourceSpecificMembership', 2],
]) {
  guard(dgram.Socket.prototype, name, function (args, join) {
    const through = args[interfaceAt]
    if (typeof through !== 'string' || !isLoopback(through))
      throw refuse(`multicast join of ${args[0]} through ${through ?? 'any interface'}`)
    return join.apply(this, args)
  })
}

// DNS. Names that stand for this machine go through; a resolver may ask a server that a test runs on loopback.
function guardLookups(target, names, allows) {
  for (const name of names) {
    guard(target, name, function (args, ask) {
      if (allows(this, args)) return ask.apply(this, args)
      const error = refuse(`DNS ${name} of ${args[0]}`)
      const callback = lastFunction(args)
      if (callback === undefined) return Promise.reject(error)
      process.nextTick(callback, error)
      return {}
    })
  }
}
const queryNames = Object.getOwnPropertyNames(dns.Resolver.prototype).filter((name) => /^(resolve|reverse)/.test(name))
const namesHere = (_, [host]) => !host || net.isIP(String(host)) !== 0 || isLoopback(String(host))
const hostOf = (server) => (net.isIP(server) === 0 ? new URL(`dns://${server}`).hostname.replace(/^\[|\]$/g, '') : server)
const askedHere = (resolver) => resolver.getServers().every((server) => isLoopback(hostOf(server)))
for (const api of [dns, dns.promises]) {
  guardLookups(api, ['lookup'], namesHere)
  guardLookups(api, ['lookupService'], (_, [host]) => isLoopback(String(host)))
  guardLookups(api, queryNames, () => askedHere(api))
  guardLookups(api.Resolver.prototype, queryNames, (resolver) => askedHere(resolver))
}
syncBuiltinESMExports()

// udx-native is UDP in native code that node:dgram never sees; it is patched where hyperdht calls it. Loading it costs 15 ms.
const require = createRequire(import.meta.url)
function guardUdx() {
  const [udx, socket, stream] = ['udx', 'socket', 'stream'].map((file) => require(`udx-native/lib/${file}.js`).prototype)
  const leaves = (args, at) => typeof args[at] === 'string' && !isLoopback(args[at])
  const throwing = (what, at) =>
    function (args, original) {
      if (leaves(args, at)) throw refuse(`${what} ${args[at]}`)
      return original.apply(this, args)
    }
  const rejecting = (what, at) =>
    function (args, original) {
      return leaves(args, at) ? Promise.reject(refuse(`${what} ${args[at]}`)) : original.apply(this, args)
    }
  guard(socket, 'send', rejecting('UDX send to', 2))
  guard(socket, 'trySend', throwing('UDX send to', 2))
  guard(socket, 'bind', function (args, bind) {
    if (!isLoopback(args[1] ?? '::')) throw refuse(`UDX bind to ${args[1] ?? 'all interfaces'}`)
    return bind.apply(this, args)
  })
  guard(socket, 'addMembership', throwing('UDX multicast join through', 1))
  guard(stream, 'connect', throwing('UDX connect to', 3))
  guard(stream, 'changeRemote', throwing('UDX connect to', 3))
  guard(udx, 'lookup', rejecting('UDX look-up of', 0))
}
try {
  guardUdx()
} catch (error) {
  // Not installed, or no prebuilt binary for this platform: then nothing can use it either.
  if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ADDON_NOT_FOUND') throw error
}

process.env.BEAM_P2P_BOOTSTRAP ??= 'none'
process.env.BEAM_P2P_MDNS ??= 'off'
process.env.BEAM_P2P_PORTMAP ??= 'off'
