import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { beam, BeamProcess, temporaryFolder } from '../../cli/beam-process.ts'
import { Scene } from '../../e2e/scene.ts'
import { recordsOf } from '../../helpers/i2p-network/network.ts'
import { PRIVATE_OPTIONS, writeRecords } from '../../helpers/i2p-network/router.ts'

/** Longest until a tunnel is ready or a visit works. */
const PATIENCE_MS = 120_000
const [serving, visiting] = inject('i2p').places
const OFFLINE = { BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off', BEAM_I2P_RESEED: 'off' }
const at = (port: number | undefined): NodeJS.ProcessEnv => ({
  ...OFFLINE,
  BEAM_I2P_SAM_PORT: String(port),
  BEAM_I2P_LENGTH: '0',
  BEAM_I2P_QUANTITY: '1',
})

/** Waits for an event of `--json` longer than other tests have to. */
async function eventOf(command: BeamProcess, name: string): Promise<Record<string, unknown>> {
  await expect.poll(() => command.events.some(({ event }) => event === name) || command.child.exitCode, { timeout: PATIENCE_MS }).toBe(true)
  return command.event(name)
}

describe('beam on I2P, from the command line', () => {
  let scene: Scene
  let web: number
  const asked: IncomingHttpHeaders[] = []
  beforeAll(async () => {
    scene = await Scene.open()
    const server = createServer((request, response) => {
      asked.push(request.headers)
      response.end('hello from I2P\n')
    })
    web = await scene.serve(server)
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  it('publishes an HTTP service that knows its visitors by destination, and is visited by beam connect', async () => {
    const publisher = scene.beam([String(web), '--eep-site', '--name', 'site'], { ...at(serving?.samPort), ...scene.home('one') })
    await eventOf(publisher, 'ready')
    const address = /http:\/\/[a-z2-7]{52}\.b32\.i2p/.exec(publisher.lines.join('\n'))?.[0] ?? ''
    const visitor = scene.beam(['connect', address, '--port', '0'], { ...at(visiting?.samPort), ...scene.home('two') })
    const { port } = await eventOf(visitor, 'listening')
    const response = await fetch(`http://127.0.0.1:${String(port)}/`, {
      headers: { 'X-I2P-DestB32': 'forged', 'x-i2p-desthash': 'forged' },
    })
    expect(await response.text()).toBe('hello from I2P\n')
    expect(asked.at(-1)?.['x-i2p-destb32']).toMatch(/^[a-z2-7]{52}\.b32\.i2p$/)
    expect(asked.at(-1)?.['x-i2p-desthash']).toMatch(/^[A-Za-z0-9~-]{43}=$/)
    expect(asked.at(-1)?.['x-i2p-destb64']).toMatch(/^[A-Za-z0-9~-]{522}==$/)

    const status = await beam(['i2p', 'status', '--json'], scene.folder, { ...OFFLINE, ...scene.home('one') })
    const said = JSON.parse(status.stdout) as { instances: Array<{ tunnels: unknown[] }> }
    const schema = JSON.parse(readFileSync(new URL('../../../schemas/i2p.schema.json', import.meta.url), 'utf8')) as object
    const isStatus = new Ajv2020({ strict: true }).compile(schema)
    isStatus(said)
    expect(isStatus.errors ?? []).toEqual([])
    expect(said.instances[0]?.tunnels).toMatchObject([{ name: 'site', address, state: 'active' }])
    const text = await beam(['i2p', 'status'], scene.folder, { ...OFFLINE, ...scene.home('one') })
    expect(text.stdout).toContain(address)

    expect((await visitor.stop()).code).toBe(0)
    expect((await publisher.stop()).code).toBe(0)
    for (const { stdout, stderr } of [await publisher.ended, await visitor.ended])
      expect(stdout + stderr).not.toMatch(/DESTINATION=|[A-Za-z0-9~-]{800}/)
  }, 300_000)

  it('says what is wrong when there is no router, or something else at its port', async () => {
    const nobody = await beam([String(web), '--backend', 'i2p', '--json'], scene.folder, { ...at(1), ...scene.home('three') })
    expect(nobody.code).not.toBe(0)
    expect(nobody.stdout + nobody.stderr).toContain('No I2P router offers SAM on 127.0.0.1:1.')
    const other = await beam([String(web), '--backend', 'i2p', '--json'], scene.folder, { ...at(web), ...scene.home('three') })
    expect(other.code).not.toBe(0)
    expect(other.stdout + other.stderr).toContain('is no SAM port of an I2P router')
  }, 60_000)

  it('leaves no private router behind, whether it is ended or killed', async () => {
    await using folder = await temporaryFolder()
    const home = join(folder.path, 'home')
    await mkdir(home)
    const paths = (await beam(['config', 'path', '--json'], folder.path, { ...OFFLINE, BEAM_HOME: home })).stdout
    expect(paths).toContain(home)
    const address4 = '198.18.77.28'
    const options = { ...PRIVATE_OPTIONS, address4, host: address4, port: '27989' }
    const config = {
      backends: [{ name: 'i2p', enabled: true, config: { router: 'private', router_options: options, length: 0, quantity: 1 } }],
    }
    const { writeFile } = await import('node:fs/promises')
    await writeFile(join(folder.path, 'beam.config.yaml'), JSON.stringify(config))
    const env = { ...OFFLINE, BEAM_HOME: home }
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      await using command = new BeamProcess([String(web), '--backend', 'i2p', '--json'], { folder: folder.path, env })
      // The address is told as soon as the router has made it.
      await eventOf(command, 'address')
      const [router] = routersOf(command.child.pid)
      expect(router).toBeGreaterThan(0)
      if (signal === 'SIGINT') {
        writeRecords(join(home, 'data', 'i2p', 'router-0'), recordsOf(inject('i2p')))
        expect((await command.stop(signal)).signal).toBeNull()
      } else await command.stop(signal)
      await expect.poll(() => spawnSync('/bin/kill', ['-0', String(router)]).status, { timeout: 5_000 }).not.toBe(0)
    }
  }, 120_000)
})

/** The i2pd processes below a process: its watch is its child, and theirs is i2pd. */
function routersOf(pid: number | undefined): number[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,ppid=,comm='])
  const rows = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const below = (parent: string): string[][] => rows.filter(([, ppid]) => ppid === parent).flatMap((row) => [row, ...below(row[0] ?? '')])
  return below(String(pid)).flatMap(([id, , name]) => (name === 'i2pd' ? [Number(id)] : []))
}
