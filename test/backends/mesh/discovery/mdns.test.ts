import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { fileURLToPath } from 'node:url'
import create from 'multicast-dns'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { mdnsDiscovery, MdnsSocket } from '../../../../backends/mesh/discovery/index.ts'
import { serviceRecordName } from '../../../../backends/mesh/discovery/mdns-names.ts'
import { systemClock, type Clock, type Discovery } from '../../../../core/index.ts'
import { all, announcementOf, soon, tcpContacts, until } from './announcement.ts'
import { ManualClock } from './manual-clock.ts'
import { udpHandles } from './open-handles.ts'

const GROUP = '224.0.0.251'
/** One that no real responder on this machine uses. */
const PORT = 15_353

const open: Array<{ close(): unknown }> = []
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})

function source(mode: 'loopback' | 'off' = 'loopback', clock: Clock = systemClock): Discovery & { readonly socket: MdnsSocket } {
  const socket = new MdnsSocket({ mode, port: PORT })
  const discovery = mdnsDiscovery({ socket, clock })
  open.push(discovery)
  return Object.assign(discovery, { socket })
}

/** Somebody else on the network: hears everything, and can say anything. */
async function bystander(port = PORT) {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const mdns = create({ socket, port, bind: GROUP, multicast: false })
  await new Promise<void>((resolve) => mdns.once('ready', resolve))
  socket.addMembership(GROUP, '127.0.0.1')
  socket.setMulticastInterface('127.0.0.1')
  const heard: string[] = []
  mdns.on('packet', (packet: create.Packet) =>
    heard.push(JSON.stringify(packet, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString() : value))),
  )
  open.push({ close: () => mdns.destroy() })
  const say = (packet: create.Packet): Promise<void> => new Promise((resolve) => mdns.send(packet, () => resolve()))
  return { heard, say }
}

async function announce(discovery: Discovery, fields = {}) {
  const announcement = announcementOf(fields)
  const announced = discovery.announce(announcement)
  await until(() => announced.state === 'announced')
  return { announcement, announced }
}

/** The first answer; the search is not waited out. */
async function first<T>(list: AsyncIterable<T>): Promise<T | undefined> {
  for await (const one of list) return one
  return undefined
}

describe('mDNS on loopback', () => {
  it('finds a service by its key', async () => {
    const { announcement } = await announce(source(), { port: 40_999 })
    await announce(source())
    const found = await first(source().find(announcement.serviceKey, soon()))
    expect(found).toEqual({ source: 'mdns', contacts: [{ kind: 'tcp', host: '127.0.0.1', port: 40_999 }] })
  })

  it('finds all who claim a name, each once, and ends by itself', async () => {
    const [one, two] = [await announce(source(), { domain: 'both.local' }), await announce(source(), { domain: 'Both.local' })]
    await announce(source(), { domain: 'other.local' })
    const keys = (await all(source().claimants('BOTH.local', soon()))).map((key) => Buffer.from(key).toString('hex'))
    expect(keys.toSorted()).toEqual([one, two].map(({ announcement }) => Buffer.from(announcement.serviceKey).toString('hex')).toSorted())
  })

  it('finds a service that appears while it is searched for', async () => {
    const announcement = announcementOf()
    const search = first(source().find(announcement.serviceKey, soon()))
    setTimeout(() => source().announce(announcement), 200)
    expect(tcpContacts([(await search)!])).toEqual(['127.0.0.1:40000'])
  })

  it('says nothing unless asked by name, then only what was asked, and goodbye at the end', async () => {
    const { heard, say } = await bystander()
    const publisher = source()
    const { announcement, announced } = await announce(publisher, { domain: 'quiet.local' })
    await say({
      type: 'query',
      questions: [
        { name: '_beam._tcp.local', type: 'PTR' },
        { name: '_services._dns-sd._udp.local', type: 'PTR' },
      ],
    })
    await say({
      type: 'query',
      questions: [
        { name: '_beam._tcp.local', type: 'ANY' },
        { name: serviceRecordName(announcementOf().serviceKey), type: 'TXT' },
      ],
    })
    await say({ type: 'query', questions: [{ name: serviceRecordName(announcement.serviceKey), type: 'SRV' }] })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(heard.filter((packet) => packet.includes('"response"'))).toEqual([])

    await say({ type: 'query', questions: [{ name: serviceRecordName(announcement.serviceKey).toUpperCase(), type: 'TXT' }] })
    await until(() => heard.at(-1)!.includes('"response"'))
    expect(heard.at(-1)).toContain('port=40000')
    // The answer about the service does not tell its name, nor its key.
    expect(heard.at(-1)).not.toMatch(/key=|_claim/)

    await announced.stop()
    await until(() => heard.at(-1)?.includes('"ttl":0') === true)
    // Nobody had asked for the name: it is not spoken of now either.
    expect(heard.at(-1)).toContain('port=40000')
    expect(heard.at(-1)).not.toMatch(/key=|_claim/)
    const count = heard.length
    await say({ type: 'query', questions: [{ name: serviceRecordName(announcement.serviceKey), type: 'TXT' }] })
    await until(() => heard.length > count)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(heard).toHaveLength(count + 1)
  })

  it('goes without a word when nobody had asked', async () => {
    const { heard } = await bystander()
    const { announced } = await announce(source(), { domain: 'unseen.local' })
    await announced.stop()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(heard).toEqual([])
  })

  it('answers a flood of questions once a second', async () => {
    const { heard, say } = await bystander()
    const clock = new ManualClock()
    const { announcement } = await announce(source('loopback', clock))
    const question = { type: 'query', questions: [{ name: serviceRecordName(announcement.serviceKey), type: 'TXT' }] } as const
    for (let i = 0; i < 50; i++) await say(question)
    await until(() => heard.filter((packet) => packet.includes('"query"')).length === 50)
    const answered = (): number => heard.filter((packet) => packet.includes('"response"')).length
    await until(() => answered() === 1)
    await clock.advance(999)
    expect(answered()).toBe(1)
    expect(clock.waiting).toEqual([1])
    // Who asked in between is answered when the second is over.
    await clock.advance(1)
    await until(() => answered() === 2)
  })

  it('passes over what is no answer of ours, and over goodbyes', async () => {
    const { heard, say } = await bystander()
    const { serviceKey } = announcementOf()
    const name = serviceRecordName(serviceKey)
    const stranger = await bystander(PORT + 1)
    const search = all(source().find(serviceKey, soon()))
    // Who has asked also listens.
    await until(() => heard.some((packet) => packet.includes('"query"')))
    const answer = (data: unknown, ttl = 120, type = 'TXT') => ({ type: 'response', answers: [{ name, type, ttl, data }] }) as const
    await say(answer(['v=1', 'port=99999']))
    await say(answer('garbage'))
    await say(answer(['v=1', 'port=5'], 0))
    await say({ type: 'response', answers: [{ name: 'x.local', type: 'TXT', ttl: 9, data: ['v=1', 'port=6'] }] })
    await stranger.say(answer(['v=1', 'port=7']))
    await say(answer(['v=1', 'port=8']))
    await say(answer(['v=1', 'port=8']))
    for (let port = 100; port < 150; port++) await say(answer(['v=1', `port=${port}`]))
    const found = tcpContacts(await search)
    expect(found[0]).toBe('127.0.0.1:8')
    expect(found).toHaveLength(16)
  })

  it('survives packets that are no DNS', async () => {
    const publisher = source()
    const { announcement } = await announce(publisher)
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    for (let i = 0; i < 50; i++) socket.send(Buffer.from(Array.from({ length: i * 3 }, (_, at) => (at * 37 + i) & 255)), PORT, GROUP)
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.close()
    expect(await first(source().find(announcement.serviceKey, soon()))).toBeDefined()
  })

  it('opens its socket with the first use and closes it with the last', async () => {
    const before = udpHandles()
    const publisher = source()
    expect(publisher.status()).toEqual({ state: 'idle' })
    expect(udpHandles()).toBe(before)
    const { announced, announcement } = await announce(publisher)
    expect(publisher.status()).toEqual({ state: 'ready', detail: 'on 127.0.0.1 only' })
    expect(udpHandles()).toBe(before + 1)
    expect(await first(publisher.find(announcement.serviceKey, soon()))).toBeDefined()
    await announced.stop()
    await announced.stop()
    await until(() => udpHandles() === before)
    expect(publisher.status()).toEqual({ state: 'idle' })
  })

  it('does nothing when it is off', async () => {
    const before = udpHandles()
    const off = source('off')
    const onState = vi.fn()
    const announced = off.announce(announcementOf(), onState)
    expect(await all(off.find(announcementOf().serviceKey, soon()))).toEqual([])
    expect(await all(off.claimants('a.local', soon()))).toEqual([])
    expect(announced.state).toBe('failed')
    expect(onState).toHaveBeenCalledWith('failed', 'multicast is switched off')
    expect(off.status()).toEqual({ state: 'off' })
    expect(udpHandles()).toBe(before)
  })

  it('is unreachable, and tries again, while the port cannot be had', async () => {
    // Bound without address reuse: nobody else gets the port.
    const blocker = createSocket('udp4')
    await new Promise<void>((resolve) => blocker.bind(0, GROUP, resolve))
    const socket = new MdnsSocket({ mode: 'loopback', port: blocker.address().port })
    const discovery = mdnsDiscovery({ socket })
    open.push(discovery)
    const announced = discovery.announce(announcementOf())
    await until(() => announced.state === 'failed')
    expect(discovery.status()).toEqual({ state: 'unreachable', detail: 'multicast is not possible (EADDRINUSE)' })
    expect(await all(discovery.find(announcementOf().serviceKey, soon()))).toEqual([])
    await new Promise<void>((resolve) => blocker.close(() => resolve()))
    await until(() => announced.state === 'announced')
  })

  it('joins again when the membership was lost with the interface', async () => {
    const clock = new ManualClock()
    const socket = new MdnsSocket({ mode: 'loopback', port: PORT, clock })
    const heard: unknown[] = []
    const unuse = socket.use((packet) => heard.push(packet))
    await until(() => socket.status().state === 'ready')
    // Scanning again while all is well changes nothing.
    await clock.advance(15_000)
    expect(socket.status().state).toBe('ready')
    const other = await bystander()
    await other.say({ type: 'query', questions: [{ name: 'x.local', type: 'A' }] })
    await until(() => heard.length === 1)
    unuse()
    expect(clock.waiting).toEqual([])
  })
})

describe('mDNS in a network namespace with a second interface', () => {
  const main = fileURLToPath(new URL('mdns-namespace.ts', import.meta.url))
  /** An isolated namespace: nothing in it can reach the network of this machine, so the loopback guard is not needed. */
  const inNamespace = (...args: string[]) =>
    spawnSync('unshare', ['--net', '--map-root-user', process.execPath, '--import', 'tsx', main, ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    })
  const possible = process.platform === 'linux' && spawnSync('unshare', ['--net', '--map-root-user', 'ip', 'link']).status === 0

  it('sends nothing through it in loopback mode, but does in the mode "on"', { timeout: 60_000 }, ({ skip }) => {
    if (!possible) skip('needs Linux with unshare, ip and user namespaces')
    const loopback = inNamespace('loopback')
    expect(loopback.stderr).toBe('')
    expect(JSON.parse(loopback.stdout)).toEqual({ found: 1, sentThroughSecond: 0, joined: ['lo'] })
    const on = inNamespace('on')
    expect(JSON.parse(on.stdout)).toEqual({
      found: 1,
      sentThroughSecond: expect.toSatisfy((packets: number) => packets >= 2),
      joined: ['second'],
    })
  })

  it('follows interfaces that come and go', { timeout: 60_000 }, ({ skip }) => {
    if (!possible) skip('needs Linux with unshare, ip and user namespaces')
    const { stdout, stderr } = inNamespace('changing')
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual(['unreachable', 'ready', 'unreachable', 'ready'])
  })
})
