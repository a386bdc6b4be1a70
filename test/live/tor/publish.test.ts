import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { Scene } from '../../e2e/scene.ts'
import { transpiled } from '../../cli/transpiled.ts'
import { runClient } from '../daemon.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'
import { daemonsOf, OnionScene, runs, type OnionPublication } from './onion-scene.ts'

const flavor = requireTor()
const namespace = requireNamespaces()
const curl = requireProgram('curl', { apt: 'curl' })

describe.runIf(flavor && curl)('beam 3000 --tor', () => {
  let scene: OnionScene
  let web: OnionPublication
  let port: number

  beforeAll(async () => {
    scene = await OnionScene.open(flavor!)
    port = await scene.serve('behind the onion')
    const begin = performance.now()
    // As users type it.
    const process = scene.scene.beam([String(port), '--tor', '--name', 'web'])
    const { tunnel } = (await process.event('ready')) as unknown as { tunnel: { endpoints: { address: string }[] } }
    console.log(`ready after ${Math.round(performance.now() - begin)} ms, without anything cached`)
    web = { process, address: tunnel.endpoints[0]!.address }
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  const get = async (local: number): Promise<string> =>
    (await runClient(curl!, ['--silent', '--show-error', '--max-time', '30', `http://127.0.0.1:${local}/`])).stdout.toString()

  it('tells how far it is, then the address, then that it is ready', () => {
    expect(web.address).toMatch(/^http:\/\/[a-z2-7]{56}\.onion$/)
    const names = web.process.events.map(({ event }) => event)
    const percents = web.process.events
      .filter(({ event }) => event === 'progress')
      .flatMap(({ percent }) => (percent === undefined ? [] : [percent]))
    expect(percents).toEqual([...percents].sort((a, b) => Number(a) - Number(b)))
    expect(Number(percents.at(-1))).toBeGreaterThan(50)
    expect(names.indexOf('address')).toBeLessThan(names.indexOf('ready'))
    expect(names.filter((name) => name === 'error' || name === 'warning')).toEqual([])
  })

  it('is reached by beam connect and curl, and by a tor that knows nothing of Beam', async () => {
    const visit = await scene.visit(web.address)
    expect(await get(visit.port)).toBe('behind the onion')
    const raw = await scene.network.client('curl')
    const { stdout } = await runClient(curl!, [
      ...['--silent', '--show-error', '--max-time', '60', '--socks5-hostname', `127.0.0.1:${raw.socksPort}`],
      web.address,
    ])
    expect(stdout.toString()).toBe('behind the onion')
    expect((await visit.process.stop()).code).toBe(0)
  })

  it('works in two processes at once, each with a daemon of its own', async () => {
    const second = await scene.publish(await scene.serve('the second one'), ['--name', 'second'])
    const visit = await scene.visit(second.address)
    expect(await get(visit.port)).toBe('the second one')
    const daemons = [web.process, second.process].map(({ child }) => daemonsOf(child.pid))
    expect(daemons.map(({ length }) => length)).toEqual([1, 1])
    expect((await second.process.stop()).code).toBe(0)
    expect(runs(daemons[1]![0]!)).toBe(false)
    await visit.process.stop()
  })

  it('leaves neither daemon nor onion when it is killed, and comes back under the same address', async () => {
    const [daemon] = daemonsOf(web.process.child.pid)
    expect(daemon).toBeGreaterThan(0)
    await web.process.stop('SIGKILL')
    // The daemon sees the end of its control connection at once, and looks for the process every 15 s.
    await vi.waitFor(() => expect(runs(daemon!)).toBe(false), 20_000)
    const raw = await scene.network.client('late')
    const gone = await runClient(curl!, ['--silent', '--max-time', '10', '--socks5-hostname', `127.0.0.1:${raw.socksPort}`, web.address])
    expect({ answered: gone.code === 0, stdout: gone.stdout.toString() }).toEqual({ answered: false, stdout: '' })

    const begin = performance.now()
    const again = await scene.publish(port, ['--name', 'web'])
    console.log(`ready after ${Math.round(performance.now() - begin)} ms, with the directory of the last time`)
    expect(again.address).toBe(web.address)
    const visit = await scene.visit(again.address)
    expect(await get(visit.port)).toBe('behind the onion')
    expect((await again.process.stop()).code).toBe(0)
    await visit.process.stop()
  })
})

describe.runIf(namespace)('on a machine without tor', () => {
  it('says how to install it, and ends with 1', async () => {
    const scene = await Scene.open()
    // Nothing but the mount namespace hides what stands in fixed places.
    const hide = '/usr/bin/tor /usr/sbin/tor /usr/local/bin/tor'
    const script = `for file in ${hide}; do [ -e "$file" ] && mount --bind /dev/null "$file"; done; exec "$@"`
    const [program, ...flags] = namespace!
    const beam = [process.execPath, transpiled(), '3000', '--tor', '--json']
    const { code, stdout } = await runClient(program, [...flags, '--mount', 'sh', '-c', script, 'sh', ...beam])
    expect(JSON.parse(stdout.toString().trim().split('\n').at(-1)!)).toMatchObject({
      event: 'error',
      code: 'BEAM_ERR_PROGRAM_MISSING',
      hint: expect.stringContaining('apt install tor') as string,
    })
    expect(code).toBe(1)
    await scene[Symbol.asyncDispose]()
  })
})
