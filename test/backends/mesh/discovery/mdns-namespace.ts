// Runs in a network namespace of its own: node mdns-namespace.ts loopback|on|changing
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { mdnsDiscovery, MdnsSocket } from '../../../../backends/mesh/discovery/index.ts'
import { announcementOf, soon, until } from './announcement.ts'
import { ManualClock } from './manual-clock.ts'

const ip = (...args: string[]) => execFileSync('ip', args)
/** Resolves when the interface is seen: the kernel takes a moment. */
const second = (there: boolean): Promise<void> => until(() => 'second' in networkInterfaces() === there)
const addSecond = async (): Promise<void> => {
  ip('link', 'add', 'second', 'type', 'veth', 'peer', 'name', 'far')
  ip('address', 'add', '10.9.8.7/24', 'dev', 'second')
  for (const end of ['far', 'second']) ip('link', 'set', end, 'up')
  await second(true)
}
const removeSecond = async (): Promise<void> => {
  ip('link', 'del', 'second')
  await second(false)
}
/** Packets that went out through the second interface. IPv6, with its housekeeping, is off here. */
const sent = (): number => Number(/^ *second:(?: +\d+){8} +\d+ +(\d+)/m.exec(readFileSync('/proc/net/dev', 'utf8'))?.[1])
const joined = (): string[] => {
  let name = ''
  const names: string[] = []
  for (const line of readFileSync('/proc/net/igmp', 'utf8').split('\n').slice(1)) {
    name = /^\d+\s+(\S+)/.exec(line)?.[1] ?? name
    if (line.includes('FB0000E0')) names.push(name)
  }
  return names
}

const [mode] = process.argv.slice(2)
execFileSync('sysctl', ['-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'])
ip('link', 'set', 'lo', 'up')
if (mode === 'changing') await changing()
else await sending(mode === 'loopback' ? 'loopback' : 'on')

async function sending(chosen: 'loopback' | 'on'): Promise<void> {
  await addSecond()
  const before = sent()
  const publisher = mdnsDiscovery({ socket: new MdnsSocket({ mode: chosen }) })
  const visitor = mdnsDiscovery({ socket: new MdnsSocket({ mode: chosen }) })
  const announcement = announcementOf()
  const announced = publisher.announce(announcement)
  await until(() => announced.state === 'announced')
  let found = 0
  const groups = joined()
  for await (const _ of visitor.find(announcement.serviceKey, soon())) {
    found += 1
    break
  }
  await publisher.close()
  await visitor.close()
  console.log(JSON.stringify({ found, sentThroughSecond: sent() - before, joined: groups }))
}

async function changing(): Promise<void> {
  const clock = new ManualClock()
  const socket = new MdnsSocket({ mode: 'on', clock })
  const states: string[] = []
  socket.onState(() => states.push(socket.status().state))
  const unuse = socket.use(() => {})
  await until(() => socket.status().state === 'unreachable')
  for (const change of [addSecond, removeSecond, addSecond]) {
    await change()
    await clock.advance(5_000)
  }
  console.log(JSON.stringify(states.filter((state) => state !== 'starting')))
  unuse()
}
