import { createSocket } from 'node:dgram'
import create from 'multicast-dns'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { announceHost, MdnsSocket, type HostOptions } from '../../../../backends/mesh/discovery/index.ts'
import { until } from './announcement.ts'
import { udpHandles } from './open-handles.ts'

const GROUP = '224.0.0.251'
const PORT = 15_363
const ADDRESSES = ['192.0.2.7', '2001:db8::7']

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const end of open.splice(0).toReversed()) await end()
})

/** A resolver on the same network, which is not ours. */
async function resolver() {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const mdns = create({ socket, port: PORT, bind: GROUP, multicast: false })
  await new Promise<void>((resolve) => mdns.once('ready', resolve))
  socket.addMembership(GROUP, '127.0.0.1')
  socket.setMulticastInterface('127.0.0.1')
  const responses: create.Packet[] = []
  const queries: create.Packet[] = []
  mdns.on('response', (packet: create.Packet) => responses.push(packet))
  mdns.on('query', (packet: create.Packet) => queries.push(packet))
  open.push(() => mdns.destroy())
  const say = (packet: create.Packet): Promise<void> => new Promise((resolve) => mdns.send(packet, () => resolve()))
  return { responses, queries, say }
}

function announce(options: Partial<HostOptions> = {}) {
  const onConflict = vi.fn()
  const host = announceHost(new MdnsSocket({ mode: 'loopback', port: PORT }), {
    name: 'myapp.local',
    addresses: ADDRESSES,
    onConflict,
    ...options,
  })
  open.push(() => host.stop())
  return { host, onConflict }
}

const answersOf = (packet: create.Packet | undefined) => packet?.answers?.map(({ type, data, ttl, flush }) => ({ type, data, ttl, flush }))

describe('announceHost', () => {
  it('asks three times whether the name is free, announces it, answers, and takes it back', async () => {
    const { responses, queries, say } = await resolver()
    const { host, onConflict } = announce({ name: 'MyApp.local.', ttlSeconds: 60 })
    expect(host.state).toBe('probing')
    await until(() => host.state === 'announced')
    await until(() => responses.length === 1)
    expect(queries.map(({ questions }) => questions?.[0])).toEqual(
      Array.from({ length: 3 }, () => ({ name: 'myapp.local', type: 'ANY', class: 'IN' })),
    )
    const records = [
      { type: 'A', data: '192.0.2.7', ttl: 60, flush: true },
      { type: 'AAAA', data: '2001:db8::7', ttl: 60, flush: true },
    ]
    expect(answersOf(responses[0])).toEqual(records)

    // Announced a second time after a second; then it answers only when asked.
    await until(() => responses.length === 2)
    await say({ type: 'query', questions: [{ name: 'MYAPP.local', type: 'A' }] })
    await until(() => responses.length === 3)
    expect(answersOf(responses[2])).toEqual(records)
    expect(responses[2]?.additionals?.[0]).toMatchObject({ type: 'NSEC', data: { nextDomain: 'myapp.local', rrtypes: ['A', 'AAAA'] } })

    host.update(['192.0.2.8'])
    await until(() => responses.length === 4)
    expect(answersOf(responses[3])?.map(({ data }) => data)).toEqual(['192.0.2.8'])
    await host.stop()
    await until(() => responses.length === 5)
    expect(answersOf(responses[4])).toEqual([{ type: 'A', data: '192.0.2.8', ttl: 0, flush: true }])
    expect(host.state).toBe('stopped')
    expect(onConflict).not.toHaveBeenCalled()
  })

  it('does not take a name that somebody else answers for', async () => {
    const { responses, queries, say } = await resolver()
    const { host, onConflict } = announce()
    await until(() => queries.length === 1)
    const taken = { type: 'response', answers: [{ name: 'MyApp.local', type: 'A', ttl: 120, data: '192.0.2.99' }] } as const
    await say(taken)
    await say(taken)
    await until(() => host.state === 'conflict')
    await new Promise((resolve) => setTimeout(resolve, 800))
    expect(onConflict.mock.calls).toEqual([['192.0.2.99']])
    // What was heard is what was said by the other: nothing of ours.
    expect(responses.flatMap((packet) => answersOf(packet)?.map(({ data }) => data))).toEqual(['192.0.2.99', '192.0.2.99'])
  })

  it('warns when somebody claims the name later, and not of its own answers, goodbyes and other names', async () => {
    const { say } = await resolver()
    const { host, onConflict } = announce()
    await until(() => host.state === 'announced')
    const answer = (data: string, name = 'myapp.local', ttl = 120, type = 'A') =>
      ({ type: 'response', answers: [{ name, type, ttl, data }] }) as const
    await say(answer('192.0.2.7'))
    await say(answer('192.0.2.50', 'other.local'))
    await say(answer('192.0.2.51', 'myapp.local', 0))
    await say(answer('192.0.2.52'))
    await say(answer('2001:db8::9', 'myapp.local', 120, 'AAAA'))
    await until(() => onConflict.mock.calls.length === 2)
    expect(onConflict.mock.calls).toEqual([['192.0.2.52'], ['2001:db8::9']])
    expect(host.state).toBe('announced')
  })

  it('leaves nothing open, also when it is stopped while it asks', async () => {
    const before = udpHandles()
    const { host } = announce()
    await host.stop()
    await host.stop()
    await until(() => udpHandles() === before)
    expect(host.state).toBe('stopped')
  })

  it.each(['myapp', 'my app.local', 'a.b.local', '-a.local', `${'a'.repeat(64)}.local`, '.local', 'myapp.example'])(
    'refuses the name %s',
    (name) => {
      expect(() => announce({ name })).toThrow(/no name for the local network/)
    },
  )

  it('refuses what is no address', () => {
    expect(() => announce({ addresses: ['localhost'] })).toThrow('"localhost" is no IP address')
  })
})
