import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const run = fileURLToPath(new URL('../soak/run.ts', import.meta.url))

/** `npm run soak` takes ten minutes; leaks that show at all show in less. */
const SECONDS = Number(process.env['BEAM_SOAK_SECONDS'] ?? 45)
/** Warm-up, the last epoch, repairs after it, and a loaded machine. */
const REST_MS = 150_000

it(
  'several networks that fail at random leave nothing behind, and multipath loses nothing',
  async () => {
    const args = ['--expose-gc', '--import', 'tsx', '--conditions=beam:source', run, '--seconds', String(SECONDS)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const timer = setTimeout(() => child.kill('SIGKILL'), SECONDS * 1_000 + REST_MS - 10_000)
    const [code] = (await once(child, 'close')) as [number | null]
    clearTimeout(timer)
    process.stdout.write(output)
    expect(code).toBe(0)
  },
  SECONDS * 1_000 + REST_MS,
)
