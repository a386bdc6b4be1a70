import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporaryPaths } from './memory-plugin.ts'
import { pluginCode, writePackage } from './plugin-package.ts'

const script = fileURLToPath(new URL('neighbour-process.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
let paths: Awaited<ReturnType<typeof temporaryPaths>>
beforeEach(async () => {
  paths = await temporaryPaths()
})
afterEach(() => paths[Symbol.asyncDispose]())

interface Line {
  readonly bad?: string
  readonly message?: string
  readonly logged?: number
}

/** Runs a process in which bytes flow through another backend's tunnel while this plugin is used. */
async function run(code: string): Promise<{ code: number | string; lines: Line[]; stderr: string }> {
  await writePackage(join(paths.home, 'tin'), { 'index.mjs': code })
  return new Promise((resolve) => {
    const args = ['--import', 'tsx', '--conditions=beam:source', script, paths.home]
    execFile(process.execPath, args, { cwd: root, timeout: 30_000 }, (error, stdout, stderr) => {
      const lines = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line)
      resolve({ code: error === null ? 0 : (error.code ?? String(error.signal)), lines, stderr })
    })
  })
}

const plugin = (over: string, before = ''): string => pluginCode('tin', { over, before })
const inTunnel = (fault: string): string => plugin(`async startTunnel(port, { id, signal }) { ${fault}; return new Promise(() => {}) },`)
const ENDS = /tried to end the process/

describe('bytes flow through a tunnel while another backend', () => {
  it.each<[what: string, code: string, bad: RegExp, log: RegExp | undefined]>([
    ['throws', inTunnel('throw new Error("thrown")'), /thrown/, undefined],
    [
      'throws in a timer, again and again',
      inTunnel('setInterval(() => { throw new Error("tick") }, 20)'),
      /./,
      /threw where nobody could catch it/,
    ],
    ['forgets rejections', inTunnel('setInterval(() => { Promise.reject(new Error("lost")) }, 5)'), /./, /left a rejection unhandled/],
    ['hangs in initialize', plugin('initialize: () => new Promise(() => {}),'), /./, undefined],
    ['hangs in startTunnel', inTunnel(''), /./, undefined],
    ['hangs when it is to stop', plugin('[Symbol.asyncDispose]: () => new Promise(() => {}),'), /it started/, /did not stop properly/],
    ['exits when it is loaded', plugin('', 'process.exit(7)'), /not loaded/, ENDS],
    ['exits when it is made', pluginCode('tin', { plugin: 'create() { process.exit(7) }' }), ENDS, undefined],
    ['exits in initialize', plugin('async initialize() { process.exit(7) },'), ENDS, undefined],
    ['exits in startTunnel', inTunnel('process.exit(7)'), ENDS, undefined],
    ['exits later', plugin('async initialize() { setTimeout(() => process.exit(7), 50) },'), /./, ENDS],
    ['exits by a borrowed function', plugin('async initialize() { setTimeout(process.exit, 50, 7) },'), /./, ENDS],
    ['aborts', inTunnel('process.abort()'), ENDS, undefined],
    ['leaks timers', plugin('async initialize() { for (let i = 0; i < 1000; i++) setInterval(() => {}, 10) },'), /it started/, undefined],
    ['emits garbage', inTunnel('return { id: {}, endpoints: "none" }'), /broke its contract/, undefined],
  ])('%s', { timeout: 40_000 }, async (_, code, bad, log) => {
    const { code: exitCode, lines, stderr } = await run(code)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(lines.find((line) => line.bad !== undefined)?.bad).toMatch(bad)
    if (log !== undefined) expect(lines.map((line) => JSON.stringify(line)).join('\n')).toMatch(log)
    expect(lines).toContainEqual({ intact: true })
    expect(lines.at(-1)).toMatchObject({ ended: true })
  })

  it('floods the log, of which a readable part is written', { timeout: 40_000 }, async () => {
    const flood = 'for (let i = 0; i < 200000; i++) context.logger.error("flood " + i, { big: "x".repeat(100000) })'
    const { code, lines } = await run(inTunnel(flood))
    expect(code).toBe(0)
    expect(lines).toContainEqual({ intact: true })
    expect(lines.at(-1)?.logged).toBeGreaterThan(100)
    expect(lines.at(-1)?.logged).toBeLessThan(2_000)
    expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).toBeLessThan(10_000)
  })
})
