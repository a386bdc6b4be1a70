import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { requireProgram } from '../requirements.ts'
import { daemonsOf, OnionScene } from './onion-scene.ts'

const flavor = requireTor()
const faketime = requireProgram('faketime', { apt: 'faketime' })

/** A repair takes a start of the daemon, circuits and an upload: 5 to 15 s here, more on a loaded machine. */
const REPAIR_MS = 90_000

describe.runIf(flavor)('with a real tor at fault, beam --tor', () => {
  let scene: OnionScene
  beforeAll(async () => {
    scene = await OnionScene.open(flavor!)
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  const get = async (port: number): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(60_000) })
    return answer.text()
  }

  it('publishes again, under the same address, when tor is killed; visitors with a stale descriptor get in', async () => {
    const publication = await scene.publish(await scene.serve('alive'))
    const visit = await scene.visit(publication.address)
    expect(await get(visit.port)).toBe('alive')
    const [daemon] = daemonsOf(publication.process.child.pid)
    process.kill(daemon!, 'SIGKILL')
    const down = await publication.process.event('down')
    expect(down['reason']).toEqual(expect.any(String))
    const up = await publication.process.event('up')
    console.log(`down: ${String(down['reason'])}; up again: ${JSON.stringify(up)}`)
    expect(daemonsOf(publication.process.child.pid)).not.toContain(daemon)
    // The visitor's daemon still has the descriptor with the introduction points of the daemon that was killed.
    await vi.waitFor(async () => expect(await get(visit.port)).toBe('alive'), { timeout: REPAIR_MS, interval: 1000 })
    await visit.process.stop()
    expect((await publication.process.stop()).code).toBe(0)
  })

  it('connects again when the visitor’s tor is killed', async () => {
    const publication = await scene.publish(await scene.serve('alive'))
    const visit = await scene.visit(publication.address)
    const [daemon] = daemonsOf(visit.process.child.pid)
    process.kill(daemon!, 'SIGKILL')
    await vi.waitFor(async () => expect(await get(visit.port)).toBe('alive'), { timeout: REPAIR_MS, interval: 1000 })
    await visit.process.stop()
    await publication.process.stop()
  })

  it('goes on when the network is gone for a while', async () => {
    const publication = await scene.publish(await scene.serve('alive'))
    for (const relay of scene.network.relays) relay.child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 5000))
    for (const relay of scene.network.relays) relay.child.kill('SIGCONT')
    const visit = await scene.visit(publication.address)
    await vi.waitFor(async () => expect(await get(visit.port)).toBe('alive'), { timeout: REPAIR_MS, interval: 1000 })
    await visit.process.stop()
    await publication.process.stop()
  })

  it('says so, and ends with 1, when the descriptor is never uploaded', async () => {
    scene.configure({ torrc: [...scene.network.torrc, 'PublishHidServDescriptors 0'], stall_seconds: 10 })
    const process = scene.start(await scene.serve('unheard'))
    await process.event('address')
    const { code } = await process.ended
    const error = process.events.find(({ event }) => event === 'error')
    console.log(JSON.stringify(error))
    expect(process.events.map(({ event }) => event)).not.toContain('ready')
    expect(code).toBe(1)
    scene.configure({})
  })

  it('says that the network cannot be joined, and why, when nobody answers', { timeout: 200_000 }, async () => {
    scene.configure({ torrc: scene.network.torrc, stall_seconds: 10 })
    for (const relay of scene.network.relays) relay.child.kill('SIGSTOP')
    const process = scene.start(await scene.serve('unheard'), [], scene.home('nowhere'))
    const { code } = await process.ended
    for (const relay of scene.network.relays) relay.child.kill('SIGCONT')
    const error = process.events.find(({ event }) => event === 'error')
    console.log(JSON.stringify(error))
    expect(error).toMatchObject({ code: 'BEAM_ERR_BOOTSTRAP', hint: expect.any(String) as string })
    expect(code).toBe(1)
    scene.configure({})
  })

  it.runIf(faketime)('tells the user to set the clock when it is off', { timeout: 200_000 }, async () => {
    const late = join(scene.scene.folder, 'late-tor')
    writeFileSync(late, `#!/bin/sh\nexec ${faketime} -f -2d ${flavor!.binary} "$@"\n`, { mode: 0o755 })
    scene.configure({ binary: late, stall_seconds: 15 })
    const process = scene.start(await scene.serve('unheard'), [], scene.home('late'))
    const { code } = await process.ended
    console.log(JSON.stringify(process.events.find(({ event }) => event === 'error')))
    const said = JSON.stringify(process.events)
    expect(said).toMatch(/clock/i)
    expect(code).toBe(1)
    scene.configure({})
  })
})
