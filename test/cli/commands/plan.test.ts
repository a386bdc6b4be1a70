import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pluginCode, writePackage } from '../../plugins/plugin-package.ts'
import { expectSchema } from '../backend/expect-schema.ts'
import { beam, temporaryFolder, type Outcome } from '../beam-process.ts'

const UNRULY = fileURLToPath(new URL('../../plugins/executable/unruly.mjs', import.meta.url))

interface Plan {
  readonly strategy: string
  readonly chosen: readonly string[]
  readonly backends: ReadonlyArray<{ readonly backend: string; readonly use: string; readonly reasons: readonly string[] }>
  readonly refused?: { readonly code: string }
}

/** A plugin with capabilities of its own, whose network must not be touched. */
const declaring = (name: string, capabilities: string): string =>
  pluginCode(name, {
    over: `getCapabilities: () => ({ ...capabilities, ${capabilities} }),
      async initialize() { throw new Error('${name} was started') },`,
  })

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
  await writePackage(join(folder.path, 'fog'), { 'index.mjs': declaring('fog', 'anonymityLevel: "medium", relays: 6') })
  await writePackage(join(folder.path, 'mist'), { 'index.mjs': declaring('mist', 'anonymityLevel: "high", relays: 5, holdMs: 1000') })
  await writePackage(join(folder.path, 'rain'), { 'index.mjs': declaring('rain', 'anonymityLevel: "high", relays: 1') })
  const config = {
    backends: [
      { name: 'mesh', priority: 9 },
      { name: 'fog', priority: 1 },
      { name: 'unruly', priority: 2, command: [process.execPath, UNRULY] },
      { name: 'rain', enabled: false },
    ],
    plugins: ['./fog', './mist', './rain'],
  }
  await writeFile(join(folder.path, 'beam.config.yaml'), JSON.stringify(config), { mode: 0o600 })
})
afterAll(() => folder[Symbol.asyncDispose]())

const run = (...flags: string[]): Promise<Outcome> => beam(['plan', '3000', ...flags], folder.path)

async function plan(...flags: string[]): Promise<Plan> {
  const { stdout, stderr } = await run(...flags, '--json')
  expect(stderr).toBe('')
  const value = JSON.parse(stdout) as Plan
  expectSchema('plan', value)
  return value
}

describe('beam plan', { timeout: 60_000 }, () => {
  it('takes the enabled backends by priority, and starts none', async () => {
    const { strategy, chosen, backends } = await plan()
    expect(strategy).toBe('priority')
    expect(chosen).toEqual(['fog'])
    expect(backends.map(({ backend, use }) => `${backend} ${use}`)).toEqual(['fog first', 'unruly no', 'mesh no'])
    expect(backends[1]?.reasons[0]).toContain('when it runs')
    expect(backends[2]?.reasons[0]).toContain('--allow-exposure')
  })

  it('shows a table for people, and says that nothing was measured', async () => {
    const { stdout, code } = await run('--backends', 'fog,mesh', '--fallback', '--allow-exposure')
    expect(code).toBe(0)
    expect(stdout).toMatch(/BACKEND\s+USE\s+ANONYMITY/)
    expect(stdout).toMatch(/fog\s+first\s+medium/)
    expect(stdout).toMatch(/mesh\s+standby\s+none/)
    expect(stdout).toContain('Nothing was')
    expect(stdout).toContain('can learn the IP address')
  })

  it('chooses by a budget among all that are installed', async () => {
    const high = await plan('--anonymity', 'high')
    expect(high.chosen).toContain('mist')
    // It is declared and switched off.
    expect(high.backends.map(({ backend }) => backend)).not.toContain('rain')
    expect((await plan('--budget', 'latency=300ms', '--allow-exposure')).chosen).toEqual(['mesh'])
    expect((await plan('--budget', 'anonymity=low,latency=1500ms')).chosen.slice(0, 1)).toEqual(['fog'])
    expect((await plan('--anonymity', 'low', '--strategy', 'load-balance', '--backends', 'mesh,fog,mist')).chosen).toEqual(['fog', 'mist'])
  })

  it('takes the order in which networks were typed', async () => {
    expect((await plan('--tor', '--mesh', '--allow-exposure', '--fallback')).chosen).toEqual(['tor', 'mesh'])
    expect((await plan('--mesh', '--tor', '--fallback')).chosen).toEqual(['mesh', 'tor'])
  })

  it('exits with 1 when publishing would be refused, and says why', async () => {
    const mixed = await run('--backends', 'fog,mesh', '--strategy', 'load-balance')
    expect(mixed.code).toBe(1)
    expect(mixed.stdout).toContain('would show the IP address that fog hides')
    const nothing = await run('--budget', 'latency=1ms')
    expect(nothing.code).toBe(1)
    expect(nothing.stdout).toContain('No backend offers what is asked for')
    expect((await plan('--budget', 'latency=1ms')).refused?.code).toBe('BEAM_ERR_UNSUPPORTED')
  })

  it.each([
    [['--budget', 'speed=9'], 'it knows latency'],
    [['--budget', 'latency=soon'], 'a duration is needed'],
    [['--budget', 'throughput=many'], 'bytes per second'],
    [['--budget', 'anonymity=total'], 'low, medium, high'],
    [['--budget', 'anonymity=low', '--anonymity', 'high'], 'asked for twice'],
    [['--anonymity', 'total'], 'low, medium, high'],
    [['--backends', 'fogg'], 'fogg'],
  ])('refuses %j as a slip of the command line', async (flags, message) => {
    const { code, stderr } = await run(...flags)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })

  it('refuses what is no service', async () => {
    const { code, stderr } = await beam(['plan', '99999'], folder.path)
    expect(code).toBe(2)
    expect(stderr).toContain('99999')
  })
})
