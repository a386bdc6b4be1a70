import { afterEach, describe, expect, it } from 'vitest'
import { toI2pBase64 } from '../../../backends/i2p/base64.ts'
import { SessionKeeper } from '../../../backends/i2p/session-keeper.ts'
import { silentLogger } from '../../../core/index.ts'
import { randomPrivateKey } from './keys-for-tests.ts'
import { ManualClock } from './manual-clock.ts'
import { greeting, ScriptedRouter, type Script } from './scripted-router.ts'

const key = toI2pBase64(randomPrivateKey())
const READY = `SESSION STATUS RESULT=OK DESTINATION=${key}`
const keepers: SessionKeeper[] = []
afterEach(() => {
  for (const keeper of keepers.splice(0)) keeper.close()
})

/** A keeper with a clock of the test's own; `told` is what it says. */
async function keep(
  router: Pick<ScriptedRouter, 'at'>,
): Promise<{ keeper: SessionKeeper; clock: ManualClock; told: string[]; started: Promise<void> }> {
  const clock = new ManualClock()
  const told: string[] = []
  const keeper = new SessionKeeper({
    sam: async () => router.at,
    key,
    options: new Map(),
    port: 4321,
    clock,
    logger: silentLogger,
    onUp: () => told.push('up'),
    onDown: (reason) => told.push(`down: ${reason}`),
    onWait: (message) => told.push(`wait: ${message}`),
  })
  keepers.push(keeper)
  const started = keeper.start(new AbortController().signal)
  started.catch(() => {})
  return { keeper, clock, told, started }
}

/** Says ready after so many milliseconds of the test's clock; null = never. */
const router = (statusOf: (attempt: number) => string | undefined): Script => {
  let attempt = 0
  return greeting((line) => {
    if (line.startsWith('SESSION CREATE')) return statusOf(attempt++)
    return line.startsWith('STREAM FORWARD') ? 'STREAM STATUS RESULT=OK' : undefined
  })
}

describe('a kept session', () => {
  it('is up as soon as the router delivers, long before its status', async () => {
    await using sam = await ScriptedRouter.start(router(() => undefined))
    const { clock, told, started } = await keep(sam)
    await clock.pass(1_000)
    await started
    expect(told).toEqual(['up'])
  })

  it('that is ready at once is an old destination: it is let go, and asked for again after a rest', async () => {
    await using sam = await ScriptedRouter.start(router((attempt) => (attempt === 0 ? READY : undefined)))
    const { clock, told, started } = await keep(sam)
    await clock.pass(6_500)
    expect(sam.heard('SESSION CREATE')).toHaveLength(1)
    expect(told).toEqual([expect.stringContaining('waiting 7 s')])
    await clock.pass(2_000)
    await started
    expect(sam.heard('SESSION CREATE')).toHaveLength(2)
    expect(told.at(-1)).toBe('up')
  })

  it('is taken as it is when the router goes on like that', async () => {
    await using sam = await ScriptedRouter.start(router(() => READY))
    const { clock, started } = await keep(sam)
    await clock.pass(60_000)
    await started
    expect(sam.heard('SESSION CREATE')).toHaveLength(4)
  })

  it('is made anew with the same keys when the router drops it: not before 27 s where no status ever came', async () => {
    await using sam = await ScriptedRouter.start(router(() => undefined))
    const { clock, told, started } = await keep(sam)
    await clock.pass(2_000)
    await started
    sam.drop()
    await clock.pass(20_000)
    expect(told).toEqual(['up', expect.stringMatching(/^down: .*router/)])
    expect(sam.heard('SESSION CREATE')).toHaveLength(1)
    await clock.pass(8_000)
    expect(told.at(-1)).toBe('up')
    const created = sam.heard('SESSION CREATE')
    expect(created).toHaveLength(2)
    expect(created.every((line) => line.includes(key))).toBe(true)
    expect(new Set(created.map((line) => /ID=(\S+)/.exec(line)?.[1])).size).toBe(2)
  })

  it('is made anew after 6 s where the status had come', async () => {
    let late = (): void => {}
    await using sam = await ScriptedRouter.start(
      greeting((line, { socket }) => {
        if (line.startsWith('SESSION CREATE')) late = () => void socket.write(`${READY}\n`)
        return line.startsWith('STREAM FORWARD') ? 'STREAM STATUS RESULT=OK' : undefined
      }),
    )
    const { clock, started, keeper } = await keep(sam)
    await clock.pass(20_000)
    late()
    await started
    await keeper.session?.ready
    sam.drop()
    await clock.pass(5_500)
    expect(sam.heard('SESSION CREATE')).toHaveLength(1)
    await clock.pass(1_000)
    expect(sam.heard('SESSION CREATE')).toHaveLength(2)
  })

  it('keeps on trying while the router is away, less and less often, and says so', async () => {
    const sam = await ScriptedRouter.start(router(() => undefined))
    const { at } = sam
    const { clock, told, started } = await keep({ at })
    await clock.pass(1_500)
    await started
    await sam[Symbol.asyncDispose]()
    await clock.pass(400_000)
    const waits = told.filter((line) => line.startsWith('wait:'))
    expect(waits.length).toBeGreaterThan(4)
    expect(waits.length).toBeLessThan(60)
    expect(waits[0]).toContain('No I2P router offers SAM')
  })

  it('whose forwarding alone is lost stays, and is forwarded again', async () => {
    await using sam = await ScriptedRouter.start(router(() => undefined))
    const { clock, told, started } = await keep(sam)
    await clock.pass(1_500)
    await started
    sam.conversations.find(({ lines }) => lines.some((line) => line.startsWith('STREAM')))?.socket.destroy()
    await clock.pass(1_000)
    expect(sam.heard('STREAM FORWARD')).toHaveLength(2)
    expect(sam.heard('SESSION CREATE')).toHaveLength(1)
    expect(told).toEqual(['up'])
  })

  it('that cannot be had at the start fails, with what the router says', async () => {
    await using sam = await ScriptedRouter.start(
      greeting((line) => (line.startsWith('SESSION') ? 'SESSION STATUS RESULT=INVALID_KEY' : 'STREAM STATUS RESULT=INVALID_ID')),
    )
    const { clock, started } = await keep(sam)
    await clock.pass(1_000)
    await expect(started).rejects.toMatchObject({ kind: 'config' })
  })

  it('leaves no timer and no connection when it is closed', async () => {
    await using sam = await ScriptedRouter.start(router(() => undefined))
    const { clock, keeper, started } = await keep(sam)
    await clock.pass(1_500)
    await started
    keeper.close()
    await clock.pass(10)
    expect(clock.pending).toBe(0)
    await expect.poll(() => sam.conversations.every(({ socket }) => socket.destroyed || socket.readableEnded)).toBe(true)
  })
})
