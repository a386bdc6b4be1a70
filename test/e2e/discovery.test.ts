import { rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import HyperDHT from 'hyperdht'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeRecord, formatBeamAddress, generateIdentity, newRecord, seedOf, type Identity } from '../../core/index.ts'
import { BeamProcess } from '../cli/beam-process.ts'
import { startDhtTestnet, type DhtTestnet } from '../helpers/dht-testnet.ts'
import { Scene } from './scene.ts'

let scene: Scene
let service: number
beforeEach(async () => {
  scene = await Scene.open()
  service = await scene.serve(createHttpServer((_, response) => void response.end('found')))
})
afterEach(() => scene[Symbol.asyncDispose]())

const get = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text()
const codes = (kind: string, events: readonly Record<string, unknown>[]): unknown[] =>
  events.filter(({ event }) => event === kind).map(({ code }) => code)

async function dht(): Promise<DhtTestnet & { readonly env: NodeJS.ProcessEnv }> {
  const testnet = await startDhtTestnet(6)
  scene.defer(() => testnet.close())
  return { ...testnet, env: { BEAM_P2P_BOOTSTRAP: testnet.bootstrap.join() } }
}

describe('discovery between users who share no files', () => {
  it('works through the DHT: by key, by name, and again after the publisher moved', async () => {
    const { env } = await dht()
    const [here, there] = [
      { ...scene.home('here'), ...env },
      { ...scene.home('there'), ...env },
    ]
    const publisher = scene.beam([String(service), '--name', 'web', '--domain', 'myapp.test'], here)
    await publisher.event('ready')
    const address = (await publisher.event('address'))['address'] as string
    const announced = async (process: typeof publisher): Promise<void> => {
      const inDht = (): boolean => process.events.some(({ phase, message }) => phase === 'announce' && /dht: /.test(String(message)))
      await expect.poll(inDht, { timeout: 10_000 }).toBe(true)
    }
    await announced(publisher)
    const [byKey, byName] = await Promise.all([scene.visit(address, [], there), scene.visit('myapp.test', [], there)])
    expect(await get(byKey.port)).toBe('found')
    expect(await get(byName.port)).toBe('found')
    expect(codes('warning', byName.process.events)).toContain('BEAM_WARN_NAME_UNVERIFIED')
    // Gone without a word, and back at another port: what the DHT said before leads nowhere.
    await publisher.stop('SIGKILL')
    const again = scene.beam([String(service), '--name', 'web', '--domain', 'myapp.test'], here)
    await announced(again)
    await expect.poll(() => get(byKey.port).catch(String), { timeout: 15_000 }).toBe('found')
  })

  it('works through multicast', async () => {
    const env = { BEAM_P2P_MDNS: 'loopback' }
    const [here, there] = [
      { ...scene.home('here'), ...env },
      { ...scene.home('there'), ...env },
    ]
    // A name of its own: multicast on loopback is shared by everything on this machine.
    const domain = `app-${process.pid}.local`
    const { address } = await scene.publish(service, ['--domain', domain], here)
    const [byKey, byName] = await Promise.all([scene.visit(address, [], there), scene.visit(domain, [], there)])
    expect(await get(byKey.port)).toBe('found')
    expect(await get(byName.port)).toBe('found')
  })
})

describe('records in the DHT', () => {
  it('count only when the key signed them and their time is not over', async () => {
    const { bootstrap, env } = await dht()
    let dialled = 0
    const port = await scene.serve(createServer((socket) => void (++dialled, socket.destroy())))
    const node = new HyperDHT({ bootstrap, host: '127.0.0.1', port: [0, 0] })
    scene.defer(() => node.destroy({ force: true }))
    await node.fullyBootstrapped()
    const store = async (signer: (own: Identity) => Identity, issuedAt: number): Promise<string> => {
      const own = generateIdentity()
      const by = signer(own)
      const record = newRecord({ serviceKey: by.publicKey, endpoints: [`/ip4/127.0.0.1/tcp/${port}`] }, { now: issuedAt })
      await node.mutablePut(HyperDHT.keyPair(seedOf(own)), Buffer.from(encodeRecord(record, by)), { seq: 1 })
      return formatBeamAddress(own.publicKey)
    }
    const there = { ...scene.home('there'), ...env }
    const own = (identity: Identity): Identity => identity
    const refused = await Promise.all([store(generateIdentity, Date.now()), store(own, Date.now() - 86_400_000)])
    const outcomes = await Promise.all(refused.map((address) => scene.run(['connect', address], there)))
    expect(outcomes.map(({ code }) => code)).toEqual([1, 1])
    expect(outcomes.flatMap(({ events }) => codes('error', events))).toEqual(['BEAM_ERR_NOT_FOUND', 'BEAM_ERR_NOT_FOUND'])
    expect(dialled).toBe(0)
    // The same from its owner and in its time is followed, and leads to what is no Beam.
    const genuine = await scene.run(['connect', await store(own, Date.now())], there)
    expect(codes('error', genuine.events)).toEqual(['BEAM_ERR_PEER_UNREACHABLE'])
    expect(dialled).toBeGreaterThan(0)
  })
})

describe('a name', () => {
  it('that was never looked up before is told on stderr, where standard output is the connection', async () => {
    await scene.publish(service, ['--domain', 'myapp.local'])
    await using carried = new BeamProcess(['connect', '--stdio', 'myapp.local'], { folder: scene.folder, raw: true })
    carried.child.stdin.write('GET / HTTP/1.0\r\n\r\n')
    expect(await text(carried.child.stdout)).toMatch(/^HTTP\/1\.1 200 OK[^]*found$/)
    carried.child.stdin.end()
    expect(await carried.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('BEAM_WARN_NAME_UNVERIFIED') as string })
  })

  it('belongs to the key that was accepted first: another one that claims it is told apart and refused', async () => {
    const first = await scene.publish(service, ['--name', 'one', '--domain', 'myapp.local'])
    const visit = await scene.visit('myapp.local')
    expect(codes('warning', visit.process.events)).toEqual(['BEAM_WARN_NAME_UNVERIFIED'])
    expect(await get(visit.port)).toBe('found')
    await visit.process.stop()
    const second = await scene.publish(service, ['--name', 'two', '--domain', 'myapp.local'])
    const known = await scene.visit('myapp.local')
    expect(codes('warning', known.process.events)).not.toContain('BEAM_WARN_NAME_UNVERIFIED')
    await Promise.all([known.process.stop(), first.process.stop()])
    const refused = await scene.run(['connect', 'myapp.local'])
    expect(refused.code).toBe(1)
    expect(refused.events.at(-1)).toMatchObject({ code: 'BEAM_ERR_NAME_CONFLICT' })
    // Somebody without a memory of it, and two claims to choose from: no choice is made for them.
    await scene.publish(service, ['--name', 'one', '--domain', 'myapp.local'])
    await rm(join(scene.folder, 'home', 'data', 'pins.json'))
    const ambiguous = await scene.run(['connect', 'myapp.local'])
    expect(ambiguous.events.at(-1)).toMatchObject({ code: 'BEAM_ERR_NAME_AMBIGUOUS' })
    await second.process.stop()
  })
})
