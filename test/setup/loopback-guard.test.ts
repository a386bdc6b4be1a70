import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-guard-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Outcome {
  readonly exitCode: number | null
  readonly output: string
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, output }))
  })
}

/** Runs code as a child of this test would run; refusals go to a log of their own, so that they do not fail this test. */
async function attempt(code: string): Promise<Outcome & { readonly refused: string }> {
  const log = join(folder, `refused-${Math.random().toString(36).slice(2)}.log`)
  const prelude = `import net from 'node:net'; import { lookup, Resolver } from 'node:dns'; import { lookup as lookupNow } from 'node:dns/promises'
    import dgram from 'node:dgram'; import tls from 'node:tls'; import { createRequire } from 'node:module'
    const require = createRequire(${JSON.stringify(import.meta.url)}); const say = (e) => console.log(e ? 'failed ' + (e.code ?? e.cause?.code) : 'passed')\n`
  const outcome = await run(['--input-type=module', '-e', prelude + code], { BEAM_LOOPBACK_LOG: log })
  return { ...outcome, refused: await readFile(log, 'utf8').catch(() => '') }
}

// 192.0.2.0/24 is for documentation (RFC 5737): nothing answers there, should the guard ever fail.
const REFUSED: ReadonlyArray<readonly [what: string, log: string, code: string]> = [
  ['net.connect', 'TCP connect to 192.0.2.1:80', `net.connect(80, '192.0.2.1').on('error', say)`],
  ['net.connect by name', 'TCP connect to example.invalid:80', `net.connect({ port: 80, host: 'example.invalid' }).on('error', say)`],
  ['tls.connect', 'TCP connect to 192.0.2.1:443', `tls.connect(443, '192.0.2.1').on('error', say)`],
  ['fetch', 'TCP connect to 192.0.2.1:80', `fetch('http://192.0.2.1/').then(() => say(), say)`],
  [
    'a look-up function of its own',
    'TCP connect to localhost = 192.0.2.1',
    `net.connect({ port: 80, host: 'localhost', lookup: (h, o, done) => o.all ? done(null, [{ address: '192.0.2.1', family: 4 }]) : done(null, '192.0.2.1', 4) }).on('error', say)`,
  ],
  ['dns.lookup', 'DNS lookup of example.invalid', `lookup('example.invalid', say)`],
  ['dns/promises lookup', 'DNS lookup of example.invalid', `lookupNow('example.invalid').then(() => say(), say)`],
  [
    'a resolver elsewhere',
    'DNS resolve4 of example.invalid',
    `const r = new Resolver(); r.setServers(['192.0.2.1']); r.resolve4('example.invalid', say)`,
  ],
  ['UDP send', 'UDP send to 192.0.2.1', `const s = dgram.createSocket('udp4'); s.send('x', 9, '192.0.2.1', (e) => { say(e); s.close() })`],
  [
    'UDP send with offsets',
    'UDP send to 192.0.2.1',
    `const s = dgram.createSocket('udp4'); s.send('xy', 0, 1, 9, '192.0.2.1', (e) => { say(e); s.close() })`,
  ],
  [
    'UDP connect',
    'UDP connect to 192.0.2.1',
    `const s = dgram.createSocket('udp4'); try { s.connect(9, '192.0.2.1') } catch (e) { say(e) } s.close()`,
  ],
  [
    'multicast join through any interface',
    'multicast join of 224.0.0.251 through any interface',
    `const s = dgram.createSocket('udp4'); s.bind(0, () => { try { s.addMembership('224.0.0.251') } catch (e) { say(e) } s.close() })`,
  ],
  [
    'multicast from a socket bound to all interfaces',
    'UDP send to 224.0.0.251',
    `const s = dgram.createSocket('udp4'); s.bind(0, () => s.send('x', 5353, '224.0.0.251', (e) => { say(e); s.close() }))`,
  ],
  [
    'UDX send',
    'UDX send to 192.0.2.1',
    `const s = new (require('udx-native'))().createSocket(); s.bind(0, '127.0.0.1'); s.send(Buffer.from('x'), 9, '192.0.2.1').catch(say).finally(() => s.close())`,
  ],
  [
    'UDX trySend',
    'UDX send to 192.0.2.1',
    `const s = new (require('udx-native'))().createSocket(); s.bind(0, '127.0.0.1'); try { s.trySend(Buffer.from('x'), 9, '192.0.2.1') } catch (e) { say(e) } s.close()`,
  ],
  [
    'UDX bind to all interfaces',
    'UDX bind to all interfaces',
    `const s = new (require('udx-native'))().createSocket(); try { s.bind(0) } catch (e) { say(e) } s.close()`,
  ],
  [
    'UDX stream',
    'UDX connect to 192.0.2.1',
    `const u = new (require('udx-native'))(), s = u.createSocket(), t = u.createStream(1); s.bind(0, '127.0.0.1'); t.on('error', () => {}); try { t.connect(s, 2, 9, '192.0.2.1') } catch (e) { say(e) } t.destroy(); s.close()`,
  ],
]

const ALLOWED: ReadonlyArray<readonly [what: string, code: string]> = [
  [
    'TCP to 127.0.0.1',
    `const l = net.createServer((c) => c.end()).listen(0, '127.0.0.1', () => net.connect(l.address().port, '127.0.0.1').on('connect', say).resume().on('close', () => l.close()))`,
  ],
  [
    'TCP to localhost',
    `const l = net.createServer((c) => c.end()).listen(0, '127.0.0.1', () => net.connect(l.address().port).on('connect', say).resume().on('close', () => l.close()))`,
  ],
  [
    'UDP to 127.0.0.1',
    `const s = dgram.createSocket('udp4'); s.bind(0, '127.0.0.1', () => s.send('x', s.address().port, '127.0.0.1', (e) => { say(e); s.close() }))`,
  ],
  [
    'multicast through 127.0.0.1',
    `const s = dgram.createSocket('udp4'); s.bind(0, () => { s.addMembership('224.0.0.251', '127.0.0.1'); s.setMulticastInterface('127.0.0.1'); s.send('x', s.address().port, '224.0.0.251', (e) => { say(e); s.close() }) })`,
  ],
  ['looking up localhost', `lookup('localhost', say)`],
  [
    'UDX on 127.0.0.1',
    `const s = new (require('udx-native'))().createSocket(); s.bind(0, '127.0.0.1'); s.send(Buffer.from('x'), s.address().port, '127.0.0.1').then(() => say(), say).finally(() => s.close())`,
  ],
]

describe('the loopback guard', () => {
  it.concurrent.each(REFUSED)('refuses %s', async (_, log, code) => {
    const { output, refused } = await attempt(code)
    expect(output).toContain('failed EPERM')
    expect(output).not.toContain('passed')
    expect(refused.split('\n')[0]).toBe(log)
  })

  it.concurrent.each(ALLOWED)('lets %s through', async (_, code) => {
    expect(await attempt(code)).toEqual({ exitCode: 0, output: 'passed\n', refused: '' })
  })

  it('reaches grandchildren and gives them the offline settings', async () => {
    const grandchild = `console.log(['BOOTSTRAP', 'MDNS', 'PORTMAP'].map((name) => process.env['BEAM_P2P_' + name]).join(), process.env.BEAM_HOME); require('net').connect(80, '192.0.2.1').on('error', (e) => console.log(e.code))`
    const { output, refused } = await attempt(
      `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' })`,
    )
    expect(output).toContain(`none,off,off ${process.env['BEAM_HOME']}`)
    expect(output).toContain('EPERM')
    expect(refused).toContain('TCP connect to 192.0.2.1:80')
  })

  it('fails a test whose code swallowed the refusal', async () => {
    const project = join(here, '..', '.tmp', `guard-${process.pid}`)
    await mkdir(project, { recursive: true })
    try {
      const setup = join(here, 'loopback-only.ts')
      await writeFile(
        join(project, 'vitest.config.ts'),
        `export default { root: ${JSON.stringify(project)}, test: { include: ['*.test.ts'], setupFiles: [${JSON.stringify(setup)}] } }\n`,
      )
      await writeFile(
        join(project, 'swallows.test.ts'),
        `import net from 'node:net'; import { it } from 'vitest'\nit('hides it', () => new Promise((done) => net.connect(80, '192.0.2.1').on('error', () => done())))\n`,
      )
      const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
      const { exitCode, output } = await run([vitest, 'run', '-c', join(project, 'vitest.config.ts')])
      expect(output).toContain('tried to leave loopback')
      expect(exitCode).toBe(1)
    } finally {
      await rm(project, { recursive: true, force: true })
    }
  })
})
