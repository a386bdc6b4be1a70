import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toI2pBase64 } from '../../../backends/i2p/base64.ts'
import { AddressBook } from '../../../backends/i2p/book.ts'
import { I2pDialler } from '../../../backends/i2p/dialler.ts'
import { I2pBackend } from '../../../backends/i2p/index.ts'
import { I2pKeyStore } from '../../../backends/i2p/key-store.ts'
import { PublishingProgress } from '../../../backends/i2p/publishing-progress.ts'
import { shapeWarning } from '../../../backends/i2p/sentences.ts'
import { watchWake } from '../../../backends/i2p/wake.ts'
import { silentLogger, systemClock, type BeamPaths, type Progress } from '../../../core/index.ts'
import { randomPrivateKey } from './keys-for-tests.ts'
import { ManualClock } from './manual-clock.ts'
import { greeting, ScriptedRouter } from './scripted-router.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bi2p-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function backend(samPort: number, length = 3): I2pBackend {
  const paths: BeamPaths = { config: folder, data: join(folder, 'd'), state: folder, runtime: join(folder, 'r') }
  const config = {
    sam_port: samPort,
    router: 'attach',
    reseed: 'off',
    router_options: {},
    length,
    quantity: 3,
    variance: 0,
    first_byte_seconds: 90,
    half_close_seconds: 20,
  } as const
  return new I2pBackend({ config, paths, logger: silentLogger, clock: systemClock })
}

describe('the I2P backend', () => {
  it('says that it shows the publisher when its tunnels have no hops', () => {
    expect(backend(1).getCapabilities()).toMatchObject({ exposesPublisherIp: false, anonymityLevel: 'medium', accessControl: false })
    expect(backend(1, 0).getCapabilities()).toMatchObject({ exposesPublisherIp: true, anonymityLevel: 'none' })
  })

  it('refuses what I2P cannot do, before it asks the router', async () => {
    await using i2p = backend(1)
    await expect(i2p.startTunnel(80, { access: { secret: 'x' } })).rejects.toMatchObject({ kind: 'unsupported' })
    await expect(i2p.startTunnel(80, { access: { allow: ['x'] } })).rejects.toMatchObject({ kind: 'unsupported' })
    await expect(i2p.startTunnel(80, { domain: 'x.i2p' })).rejects.toMatchObject({ kind: 'unsupported' })
    await expect(i2p.startTunnel(80, { network: { udp: true } })).rejects.toMatchObject({
      message: 'Beam carries TCP through I2P, not UDP.',
    })
    await expect(i2p.startTunnel(0)).rejects.toMatchObject({ kind: 'config' })
    await expect(i2p.operate('newnym')).rejects.toMatchObject({ kind: 'unsupported' })
    await expect(i2p.operate('status', { x: 1 })).rejects.toMatchObject({ kind: 'config' })
  })

  it('answers before it was initialized', async () => {
    await using i2p = backend(1)
    expect(await i2p.operate('status')).toMatchObject({ state: 'idle', router: 'not there yet', tunnels: [] })
    expect(await i2p.getStatus()).toEqual({ state: 'idle', tunnels: [] })
  })

  it('does not say that nobody publishes an address while this end has no tunnels yet, but does once it has', async () => {
    let ready = ''
    await using router = await ScriptedRouter.start(
      greeting((line) => {
        if (line.startsWith('SESSION CREATE')) return ready === '' ? undefined : `SESSION STATUS RESULT=OK DESTINATION=${ready}`
        return line.startsWith('STREAM') ? 'STREAM STATUS RESULT=CANT_REACH_PEER' : undefined
      }),
    )
    const clock = new ManualClock()
    const setup = { shape: { length: 3, quantity: 3, variance: 0 }, limits: { firstByteMs: 1_000, halfCloseMs: 1_000 } }
    const kept = { keys: new I2pKeyStore({ data: folder }), book: new AddressBook({ data: folder }) }
    const dialler = new I2pDialler({ ...setup, ...kept, sam: async () => router.at, clock, logger: silentLogger })
    const address = `${'a'.repeat(51)}q.b32.i2p`
    const early = dialler.dial(address, {}).catch((error: unknown) => error)
    await clock.pass(60_000)
    expect(await early).toMatchObject({ kind: 'unavailable', message: 'The I2P router has no tunnels for the visit yet.' })
    expect(router.heard('STREAM').length).toBeGreaterThan(50)
    ready = toI2pBase64(randomPrivateKey())
    const late = dialler.dial(address, { isolation: 'another session' }).catch((error: unknown) => error)
    await clock.pass(10_000)
    expect(await late).toMatchObject({ kind: 'unreachable', code: 'BEAM_ERR_NOT_FOUND' })
    dialler.close()
  })

  it('gives up a start whose router says garbage, and leaves nothing behind', async () => {
    await using router = await ScriptedRouter.start(greeting((line) => (line.startsWith('DEST') ? '%%% garbage %%%' : undefined)))
    await using i2p = backend(router.at.port)
    await i2p.initialize()
    await expect(i2p.startTunnel(80)).rejects.toMatchObject({ kind: 'unavailable' })
    expect((await i2p.getStatus()).tunnels).toEqual([])
  })

  it('starts a tunnel anew as soon as the start before was called off', async () => {
    await using router = await ScriptedRouter.start(greeting(() => undefined))
    await using i2p = backend(router.at.port)
    await i2p.initialize()
    const start = (signal: AbortSignal): Promise<unknown> => i2p.startTunnel(80, { id: 'web', signal }).catch((error: unknown) => error)
    const asked = async (times: number): Promise<void> => {
      await expect.poll(() => router.heard('DEST GENERATE').length).toBe(times)
    }
    const [first, second] = [new AbortController(), new AbortController()]
    const before = start(first.signal)
    await asked(1)
    expect(await start(second.signal)).toMatchObject({ kind: 'config', message: 'The I2P backend has a tunnel web already.' })
    first.abort(new Error('called off'))
    const after = start(second.signal)
    expect(await before).toMatchObject({ message: 'called off' })
    await asked(2)
    second.abort(new Error('called off, too'))
    expect(await after).toMatchObject({ message: 'called off, too' })
  })

  it('moves keys, and replaces others only when it is told so', async () => {
    await using i2p = backend(1)
    const [mine, other] = [randomPrivateKey(), randomPrivateKey()].map((blob) => Buffer.from(toI2pBase64(blob))) as [Buffer, Buffer]
    expect(await i2p.exportKeys('web')).toBeUndefined()
    await i2p.importKeys('web', mine)
    await i2p.importKeys('web', mine)
    await expect(i2p.importKeys('web', other)).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_EXISTS' })
    expect(Buffer.from((await i2p.exportKeys('web')) ?? [])).toEqual(mine)
    await i2p.importKeys('web', other, { replace: true })
    expect(Buffer.from((await i2p.exportKeys('web')) ?? [])).toEqual(other)
    await expect(i2p.importKeys('web', Buffer.from('no keys'))).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_STORAGE' })
  })
})

describe('the address book', () => {
  it('remembers names, the newest address of each', async () => {
    const [first, second] = [`${'a'.repeat(51)}q.b32.i2p`, `${'b'.repeat(51)}q.b32.i2p`]
    const book = new AddressBook({ data: folder })
    expect(await book.find('mysite.i2p')).toBeUndefined()
    await book.add('mysite.i2p', first)
    await book.add('other.i2p', first)
    await book.add('mysite.i2p', second)
    expect(await new AddressBook({ data: folder }).find('mysite.i2p')).toBe(second)
    expect(await book.find('other.i2p')).toBe(first)
  })
})

describe('what people are told', () => {
  it('is how far a tunnel is, and why it takes so long', async () => {
    const clock = new ManualClock()
    const told: Progress[] = []
    const progress = new PublishingProgress({ length: 3, quantity: 3, variance: 0 }, clock, (one) => told.push(one))
    progress.asked()
    await clock.pass(61_000)
    expect(told.at(-1)?.message).toContain('3 to 10 minutes')
    progress.ready()
    expect(told.at(-1)?.phase).toBe('publishing')
    progress.stage('found')
    progress.stage('reached')
    expect(told.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1])).toEqual([
      'building',
      'publishing',
      'published',
      'reachable',
    ])
    expect(clock.pending).toBe(0)
  })

  it('is the price of short and few tunnels', () => {
    expect(shapeWarning({ length: 3, quantity: 3, variance: 0 })).toBeUndefined()
    expect(shapeWarning({ length: 0, quantity: 3, variance: 0 })).toContain('can find out')
    expect(shapeWarning({ length: 2, quantity: 3, variance: 0 })).toContain('2 hops')
    // PurpleI2P/i2pd#1072
    expect(shapeWarning({ length: 3, quantity: 1, variance: 0 })).toContain('ten minutes')
  })
})

it('a sleep of the machine is noticed, and slow timers are none', async () => {
  const clock = new ManualClock()
  let woken = 0
  const stop = watchWake(clock, () => woken++)
  await clock.pass(60_000)
  expect(woken).toBe(0)
  clock.jump(3_600_000)
  await clock.pass(10_000)
  expect(woken).toBe(1)
  stop()
  expect(clock.pending).toBe(0)
})
