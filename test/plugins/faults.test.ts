import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { culprit } from '../../plugins/faults.ts'
import { temporaryPaths } from './memory-plugin.ts'
import { pluginCode, writePackage } from './plugin-package.ts'

const script = fileURLToPath(new URL('faulty-process.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
let paths: Awaited<ReturnType<typeof temporaryPaths>>
beforeEach(async () => {
  paths = await temporaryPaths()
})
afterEach(() => paths[Symbol.asyncDispose]())

/** Runs a process with a plugin that does `fault` after its tunnel has started. */
async function run(fault: string, mode = 'theirs'): Promise<{ code: number; lines: object[]; stderr: string }> {
  const over = `async initialize() { ${fault} },`
  await writePackage(join(paths.home, 'tin'), { 'index.mjs': pluginCode('tin', { over }) })
  return new Promise((resolve) => {
    const args = ['--import', 'tsx', '--conditions=beam:source', script, paths.home, mode]
    execFile(process.execPath, args, { cwd: root, timeout: 15_000 }, (error, stdout, stderr) => {
      const lines = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as object)
      resolve({ code: error === null ? 0 : Number(error.code), lines, stderr })
    })
  })
}

describe('a fault that a plugin does not catch', () => {
  it('is told with the plugin’s name, and the other backend carries bytes', async () => {
    const { code, lines } = await run(`
      Promise.reject(new Error('forgotten'))
      setTimeout(() => { Promise.reject('just a word') }, 10)
      setTimeout(() => { throw new Error('in a timer') }, 20)
      const { connect } = await import('node:net')
      connect(1, '127.0.0.1')
    `)
    const rejection = 'a plugin left a rejection unhandled'
    const exception = 'a plugin threw where nobody could catch it'
    expect(lines).toEqual(
      expect.arrayContaining([
        { message: rejection, plugin: 'tin', reason: 'forgotten' },
        { message: rejection, plugin: 'tin', reason: 'just a word' },
        { message: exception, plugin: 'tin', reason: 'in a timer' },
        { message: exception, plugin: 'tin', reason: expect.stringContaining('ECONNREFUSED') as string },
        { echoed: 'bytes flow' },
      ]),
    )
    // It stays watched: what it left behind may go on with it.
    expect(lines.at(-1)).toEqual({ listeners: 2 })
    expect(code).toBe(0)
  })

  it('leaves nothing in the process when there was none', async () => {
    expect((await run('')).lines.at(-1)).toEqual({ listeners: 0 })
  })

  it('is not made out of somebody else’s: that ends the process as ever', async () => {
    const { code, stderr } = await run('', 'ours')
    expect(stderr).toContain('a fault of ours')
    expect(code).toBe(1)
  })
})

describe('the culprit', () => {
  const tin = { name: 'tin', folder: '/plugins/tin' }
  const failure = (...frames: string[]): Error =>
    Object.assign(new Error('x'), { stack: ['Error: x', ...frames.map((frame) => `    at ${frame}`)].join('\n') })

  it('is the plugin whose file stands in the stack, whoever was running', () => {
    expect(culprit(failure('f (file:///plugins/tin/a.js:1:1)'), [tin], undefined)).toBe(tin)
    expect(culprit(failure('f (file:///plugins/tinsel/a.js:1:1)'), [tin], undefined)).toBeUndefined()
  })

  it('is the plugin that was running when only libraries or Node stand in the stack', () => {
    expect(culprit(failure('f (node:net:1:1)'), [tin], 'tin')).toBe(tin)
    expect(culprit(failure('f (/x/node_modules/lib/a.js:1:1)'), [tin], 'tin')).toBe(tin)
    expect(culprit('no error at all', [tin], 'tin')).toBe(tin)
  })

  it('is nobody when code of others stands in the stack, or nobody was running', () => {
    expect(culprit(failure('f (/home/app/server.js:1:1)'), [tin], 'tin')).toBeUndefined()
    expect(culprit(failure('f (node:net:1:1)'), [tin], undefined)).toBeUndefined()
  })
})
