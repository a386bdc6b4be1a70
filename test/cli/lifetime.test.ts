import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { transpiled } from './transpiled.ts'

const lifetime = pathToFileURL(`${dirname(transpiled())}/cli/lifetime.js`).href

/** A process that writes until it is to end, says why on stderr, and then never gets done with cleaning up. */
const NEVER_DONE = `
import { Lifetime } from ${JSON.stringify(lifetime)}
const life = new Lifetime()
setInterval(() => process.stdout.write('line\\n'), 20)
process.stderr.write('ended: ' + (await life.ended()) + '\\n')
await new Promise(() => {})
`

async function run(): Promise<{ child: ChildProcess; said: (text: string) => Promise<void>; ended: Promise<unknown[]> }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', NEVER_DONE], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  await once(child.stdout, 'data')
  const said = async (text: string): Promise<void> => {
    while (!stderr.includes(text)) await once(child.stderr, 'data')
  }
  return { child, said, ended }
}

describe('Lifetime', () => {
  it('ends at once with the second Ctrl-C', async () => {
    const { child, said, ended } = await run()
    child.kill('SIGINT')
    await said('ended: interrupted')
    expect(child.exitCode).toBeNull()
    const second = performance.now()
    child.kill('SIGINT')
    expect(await ended).toEqual([0, null])
    expect(performance.now() - second).toBeLessThan(3_000)
  })

  it('ends within 5 seconds, whatever hangs', async () => {
    const { child, said, ended } = await run()
    const asked = performance.now()
    child.kill('SIGTERM')
    await said('ended: SIGTERM')
    expect(await ended).toEqual([0, null])
    expect(performance.now() - asked).toBeGreaterThan(1_000)
  })

  it('ends when nobody reads the output any more', async () => {
    const { child, said } = await run()
    child.stdout?.destroy()
    await said('ended: output closed')
    child.kill('SIGKILL')
  })
})
