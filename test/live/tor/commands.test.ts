/** `beam` on the command line over a private Tor network, as its users type it. */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { OnionNetwork, requireTor } from '../../helpers/onion-network/index.ts'
import type { BeamProcess, JsonLine } from '../../cli/beam-process.ts'
import { addressOf, Home } from '../../cli/daemon/home.ts'
import { expectValid } from '../../cli/json-schema.ts'

/** Joining the network and publishing, with room for a loaded machine. */
const PATIENCE_MS = 90_000

const flavor = requireTor()

describe.runIf(flavor !== undefined)('beam over Tor', { timeout: 240_000 }, () => {
  let network: OnionNetwork
  let home: Home
  let web: Server
  let port: string
  let publisher: BeamProcess
  let address: string

  beforeAll(async () => {
    network = await OnionNetwork.start(flavor!)
    home = await Home.make()
    const config = { binary: network.flavor.binary, torrc: network.torrc }
    await writeFile(join(home.path, 'beam.config.yaml'), JSON.stringify({ backends: [{ name: 'tor', config }] }))
    web = createServer((request, response) => {
      const known = request.headers.host === `localhost:${port}`
      response.writeHead(known ? 200 : 403).end(known ? 'hello' : 'Invalid Host header')
    })
    await once(web.listen(0, '127.0.0.1'), 'listening')
    port = String((web.address() as AddressInfo).port)
    publisher = home.start(port, '--tor', '--name', 'web', '--tor-port', '80', '--tor-port', '8080', '--json')
    address = addressOf(await event(publisher, 'ready'))
  }, 240_000)
  afterAll(async () => {
    await publisher[Symbol.asyncDispose]()
    web.close()
    web.closeAllConnections()
    await home[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
  })

  function event(process: BeamProcess, name: string): Promise<JsonLine> {
    return vi.waitFor(
      () => {
        const found = process.events.find((line) => line.event === name)
        if (found === undefined) throw new Error(`no ${name}: ${process.lines.join('\n')}\n${process.stderr}`)
        return found
      },
      { timeout: PATIENCE_MS, interval: 100 },
    )
  }

  async function visit(...flags: string[]): Promise<BeamProcess & { readonly port: number }> {
    const visitor = home.start('connect', address, '--json', ...flags)
    return Object.assign(visitor, { port: Number((await event(visitor, 'listening'))['port']) })
  }

  it('tells the address at once, how far it is, and when it is published and reachable', () => {
    const { events } = publisher
    for (const line of events) expectValid('events', line)
    const order = events.map((line) => (line.event === 'progress' ? String(line['phase']) : line.event))
    expect(order.indexOf('address')).toBeGreaterThanOrEqual(0)
    expect(order.indexOf('address')).toBeLessThan(order.indexOf('published'))
    expect(order.indexOf('bootstrap')).toBeGreaterThanOrEqual(0)
    expect(order.indexOf('published')).toBeLessThan(order.indexOf('ready'))
    expect(address).toMatch(/^http:\/\/[a-z2-7]{56}\.onion$/)
  })

  it('says what the daemon does, and takes new circuits, for publishers and visitors', async () => {
    await using visitor = await visit('--circuits', '3')
    const { stdout, code } = await home.run('tor', 'status', '--json')
    expect(code).toBe(0)
    const status = JSON.parse(stdout) as { instances: { process: { pid: number }; status: Record<string, unknown> }[] }
    expectValid('onion', status)
    expect(status.instances.map(({ process }) => process.pid)).toEqual(expect.arrayContaining([publisher.child.pid, visitor.child.pid]))
    const own = status.instances.find(({ process }) => process.pid === publisher.child.pid)?.status
    expect(own).toMatchObject({
      state: 'running',
      mode: 'own',
      bootstrap: { percent: 100 },
      services: expect.arrayContaining([expect.objectContaining({ name: 'web', address, state: 'active', protected: false })]) as unknown,
    })
    expect(own?.['version']).toMatch(/^0\.4\./)
    const text = (await home.run('tor', 'status')).stdout
    expect(text).toContain('Bootstrap 100 %')
    expect(text).toContain(address)
    const newnym = JSON.parse((await home.run('tor', 'newnym', '--json')).stdout) as { processes: unknown[] }
    expectValid('onion', newnym)
    expect(newnym.processes).toHaveLength(2)
    const answers = await Promise.all([1, 2, 3].map(() => fetch(`http://127.0.0.1:${visitor.port}`).then((answer) => answer.text())))
    expect(answers).toEqual(['Invalid Host header', 'Invalid Host header', 'Invalid Host header'])
    expect((await visitor.stop()).code).toBe(0)
  })

  it('lets only known visitors in once there are some, while the tunnel runs', async () => {
    const added = await home.run('tor', 'auth', 'add', 'web', 'alice', '--json')
    expect(added).toMatchObject({ code: 0, stderr: '' })
    const { privateKey, ...who } = JSON.parse(added.stdout) as { privateKey: string }
    expectValid('onion', { privateKey, ...who })
    expect(who).toMatchObject({ service: 'web', protected: true, live: 1 })
    await writeFile(join(home.path, 'alice.key'), `${privateKey}\n`)
    const refused = await home.run('connect', address, '--json')
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('BEAM_ERR_ACCESS_DENIED')
    await using visitor = await visit('--auth-key', 'alice.key')
    expect(await (await fetch(`http://127.0.0.1:${visitor.port}`)).text()).toBe('Invalid Host header')
    await visitor.stop()
    const listed = JSON.parse((await home.run('tor', 'auth', 'list', 'web', '--json')).stdout) as unknown
    expectValid('onion', listed)
    expect(listed).toMatchObject({ services: [{ service: 'web', protected: true, clients: [{ client: 'alice' }] }] })
    expect((await home.run('tor', 'auth', 'off', 'web')).stdout).toContain('The running tunnel follows it already.')
    expect(JSON.stringify([publisher.lines, added.stderr])).not.toContain(privateKey)
  })

  it('rewrites the Host header for an application that checks it', async () => {
    await using other = home.start(port, '--tor', '--host-header', 'rewrite', '--json')
    const onion = addressOf(await event(other, 'ready'))
    await using visitor = home.start('connect', onion, '--json')
    const { port: local } = (await event(visitor, 'listening')) as unknown as { port: number }
    expect(await (await fetch(`http://127.0.0.1:${local}`)).text()).toBe('hello')
  })

  it('can be asked why it does not get on, while it joins the network', async () => {
    const lines = [...network.torrc, 'DisableNetwork 1']
    await writeFile(
      join(home.path, 'stuck.yaml'),
      JSON.stringify({
        backends: [{ name: 'tor', config: { binary: network.flavor.binary, torrc: lines } }],
        tunnels: [{ name: 'stuck', port: Number(port) }],
      }),
    )
    await using stuck = home.start('up', '--file', 'stuck.yaml', '--json')
    await vi.waitFor(
      async () => {
        const { stdout } = await home.run('tor', 'status', '--json')
        const { instances } = JSON.parse(stdout) as {
          instances: { process: { pid: number }; status: { bootstrap?: { percent: number } } }[]
        }
        expect(instances.find(({ process }) => process.pid === stuck.child.pid)?.status.bootstrap?.percent).toBe(0)
      },
      { timeout: PATIENCE_MS, interval: 500 },
    )
    expect((await stuck.stop()).code).toBe(0)
  })
})

if (flavor === undefined) it('needs the daemon', (context) => context.skip('said above'))
