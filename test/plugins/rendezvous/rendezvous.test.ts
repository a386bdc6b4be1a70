import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatMeetingPlace, formatVisitorKey, generateIdentity, openKeyStore, openPins, parseMeetingPlace } from '../../../core/index.ts'
import { MemoryStream } from '../../../core/testing/index.ts'
import { echoed, Stage } from './stage.ts'

let stage: Stage
beforeEach(() => {
  stage = new Stage()
})
afterEach(() => stage[Symbol.asyncDispose]())

const until = async (holds: () => boolean): Promise<void> => {
  await expect.poll(holds, { timeout: 10_000 }).toBe(true)
}
const addressOf = (tunnel: { snapshot(): { endpoints: ReadonlyArray<{ address: string }> } }): string =>
  tunnel.snapshot().endpoints[0]?.address ?? ''

describe('a meeting place behind a network that hides', () => {
  it('leads a visitor who knows a name to the service, and no name is asked for anywhere else', async () => {
    const { place, address } = await stage.place()
    const published = await stage.publish(await stage.user([address]), 'web', 'myapp.local')
    await until(published.registered)
    expect(published.warnings()).toEqual([])
    const visitor = await stage.user([address])
    const warnings: string[] = []
    const onEvent = (event: { event: string; code?: string }): void => void (event.event === 'warning' && warnings.push(event.code ?? ''))
    expect(await echoed(await visitor.openStream('myapp.local', { onEvent }))).toBe('hello')
    expect(warnings).toEqual(['BEAM_WARN_NAME_UNVERIFIED'])
    expect(await visitor.resolve('MyApp.local')).toEqual([addressOf(published.tunnel)])
    expect(place.registered()).toBe(1)
    expect(stage.asked).toEqual([])
  })

  it('is asked apart from everything else, each look-up and each tunnel by itself', async () => {
    const { address } = await stage.place()
    const publisher = await stage.user([address])
    const [one, two] = [await stage.publish(publisher, 'one', 'one.local'), await stage.publish(publisher, 'two', 'two.local')]
    await until(() => one.registered() && two.registered())
    const visitor = await stage.user([address])
    await visitor.resolve('one.local')
    await visitor.resolve('two.local')
    await echoed(await visitor.openStream('one.local'))
    const isolations = stage.dialled.map(({ isolation }) => isolation)
    expect(isolations.every((isolation) => (isolation ?? '') !== '')).toBe(true)
    // Two registrations, three look-ups, one visit.
    expect(new Set(isolations).size).toBe(6)
  })

  it('forgets a service that has ended', async () => {
    const { address } = await stage.place()
    const { tunnel, registered } = await stage.publish(await stage.user([address]), 'web', 'myapp.local')
    await until(registered)
    await tunnel.stop()
    const visitor = await stage.user([address])
    await expect(visitor.resolve('myapp.local')).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
  })

  it('keeps its key and address by name, takes no tunnels of its own, and is registered with again after a restart', async () => {
    const home = await stage.home()
    const first = await stage.place({}, await stage.user([], home))
    const publisher = await stage.user([first.address])
    await first.place.stop()
    const { registered, warnings } = await stage.publish(publisher, 'web', 'myapp.local')
    await until(() => warnings().length > 0)
    expect(warnings()[0]).toContain('cannot be reached')
    const second = await stage.place({}, await stage.user([], home))
    expect(second.address).toBe(first.address)
    await until(registered)
    expect(second.place.registered()).toBe(1)
  })

  it('sees neither the service key nor the node key nor the visitor key of a user', async () => {
    const { place, address } = await stage.place()
    const [home, other] = [await stage.home(), await stage.home()]
    const publisher = await stage.user([address], home)
    const { registered } = await stage.publish(publisher, 'web', 'myapp.local')
    await until(registered)
    expect(address.startsWith(`beam-node:${place.id}@`)).toBe(true)
    const found: string[] = []
    const visitor = await stage.user([address], other)
    await visitor.resolve('myapp.local', { onWarning: (_code, message) => found.push(message) })
    const keys = openKeyStore(home)
    for (const key of [await keys.serviceKey('web'), await keys.nodeKey(), await keys.visitorKey()]) {
      const text = formatVisitorKey(key.publicKey)
      expect(found.join()).not.toContain(text)
    }
    // What was accepted is the derived key: it is not that of the mesh, which has pins of its own.
    const pinned = await openPins({ data: `${other.data}/rendezvous`, runtime: other.runtime }).lookup('myapp.local')
    expect(pinned).toHaveLength(32)
    expect(Buffer.from(pinned ?? []).equals((await keys.serviceKey('web')).publicKey)).toBe(false)
    expect(await openPins(other).lookup('myapp.local')).toBeUndefined()
  })
})

describe('several services under one name', () => {
  it('are not chosen from, and the one that was accepted is never exchanged', async () => {
    const { address } = await stage.place()
    const honest = await stage.publish(await stage.user([address]), 'web', 'myapp.local')
    await until(honest.registered)
    const visitor = await stage.user([address])
    await visitor.resolve('myapp.local')
    const thief = await stage.publish(await stage.user([address]), 'thief', 'myapp.local')
    await until(thief.registered)
    const codes: string[] = []
    const again = await visitor.resolve('myapp.local', { onWarning: (code) => codes.push(code) })
    expect(again).toEqual([addressOf(honest.tunnel)])
    expect(codes).toEqual(['BEAM_WARN_NAME_CLAIMED'])
    await expect((await stage.user([address])).resolve('myapp.local')).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_AMBIGUOUS' })
    await honest.tunnel.stop()
    await expect(visitor.resolve('myapp.local')).rejects.toMatchObject({
      code: 'BEAM_ERR_NAME_CONFLICT',
      hint: expect.stringContaining('beam domain release myapp.local --accepted') as string,
    })
  })
})

describe('what may be told and asked', () => {
  it('a network that shows the publisher is not registered without consent', async () => {
    const { place, address } = await stage.place()
    const publisher = await stage.user([address])
    const { registered } = await stage.publish(publisher, 'open', 'open.local', { backends: ['showing'] })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(registered()).toBe(false)
    expect(place.registered()).toBe(0)
    const both = { backends: ['hiding', 'showing'], strategy: 'load-balance', allowExposure: true } as const
    const mixed = await stage.publish(publisher, 'mixed', 'mixed.local', both)
    await until(mixed.registered)
    // By consent both are in the record; a visitor dials what hides.
    expect(await (await stage.user([address])).resolve('mixed.local')).toEqual(['memory://mixed'])
  })

  it('a meeting place on a network that shows who asks is refused, and so is one that no network leads to', async () => {
    const key = generateIdentity().publicKey
    const showing = await stage.user([formatMeetingPlace(key, 'showing://place')])
    await expect(showing.resolve('myapp.local')).rejects.toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
    await expect(stage.publish(showing, 'web', 'myapp.local')).rejects.toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
    const plain = await stage.user([formatMeetingPlace(key, '192.0.2.7:4001')])
    await expect(plain.resolve('myapp.local')).rejects.toMatchObject({ code: 'BEAM_ERR_ADDRESS_INVALID' })
    await expect((await stage.user()).hostPlace({ backends: ['showing'] })).rejects.toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
    expect(stage.asked).toEqual([])
    expect(stage.dialled).toEqual([])
  })
})

describe('when something is wrong at the meeting place', () => {
  it('another key there is told as such', async () => {
    const { address } = await stage.place()
    const wrong = formatMeetingPlace(generateIdentity().publicKey, parseMeetingPlace(address).address)
    await expect((await stage.user([wrong])).resolve('myapp.local')).rejects.toMatchObject({
      code: 'BEAM_ERR_KEY_MISMATCH',
      kind: 'unreachable',
    })
    const { warnings } = await stage.publish(await stage.user([wrong]), 'web', 'myapp.local')
    await until(() => warnings().length > 0)
    expect(warnings()[0]).toContain('another key')
  })

  it('a service there that is no meeting place is told as such', async () => {
    const { tunnel } = await stage.publish(await stage.user(), 'web', 'myapp.local')
    const address = formatMeetingPlace(generateIdentity().publicKey, addressOf(tunnel))
    await expect((await stage.user([address])).resolve('x.local')).rejects.toMatchObject({
      message: expect.stringContaining(addressOf(tunnel)) as string,
    })
  })

  it('one that is gone, refuses, or says nonsense does not keep others from answering', async () => {
    const { address } = await stage.place()
    const gone = formatMeetingPlace(generateIdentity().publicKey, 'memory://gone')
    const { registered } = await stage.publish(await stage.user([gone, address]), 'web', 'myapp.local')
    await until(registered)
    const codes: string[] = []
    const visitor = await stage.user([gone, address])
    expect(await visitor.resolve('myapp.local', { onWarning: (code) => codes.push(code) })).toHaveLength(1)
    expect(codes).toContain('BEAM_WARN_RENDEZVOUS')
    stage.fault = async () => {
      const [near, far] = MemoryStream.pair()
      far.on('error', () => {}).end(randomBytes(100))
      return near
    }
    await expect(visitor.resolve('myapp.local')).rejects.toMatchObject({ code: 'BEAM_ERR_PEER_UNREACHABLE' })
  })

  it('one that says nothing is given up when the caller gives up', async () => {
    const { address } = await stage.place()
    const visitor = await stage.user([address])
    stage.fault = (_address, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))
    const reason = new Error('enough')
    const calling = new AbortController()
    setTimeout(() => calling.abort(reason), 100)
    await expect(visitor.resolve('myapp.local', { signal: calling.signal })).rejects.toBe(reason)
    // A tunnel does not wait for it, neither when it starts nor when it ends.
    const { tunnel } = await stage.publish(visitor, 'web', 'myapp.local')
    await tunnel.stop()
  })
})
