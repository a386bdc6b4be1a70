import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { inI2pNamespace } from '../helpers/i2p-network/namespace.ts'
import { requireNamespaces, requireProgram } from './requirements.ts'

const config = fileURLToPath(new URL('i2p/vitest.config.ts', import.meta.url))
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const namespace = requireNamespaces()
const i2pd = requireProgram('i2pd', { apt: 'i2pd', brew: 'i2pd' })

/** Everything together takes about four minutes; a machine that is busy otherwise takes twice as long. */
const LIMIT_MS = 900_000

describe.runIf(namespace && i2pd)('I2P, with four real routers in a namespace', () => {
  it(
    'keeps the contract, its features work, faults are survived, and nothing is left behind',
    async () => {
      const [program, args] = inI2pNamespace([process.execPath, vitest, 'run', '-c', config])
      // No guard in there: nothing can leave the namespace, and what runs is Beam as it is.
      const env = {
        ...process.env,
        PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`,
        NODE_OPTIONS: '',
        BEAM_I2P_ROUTER: '',
        VITEST: '',
        CI: '',
      }
      const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString()
          process.stdout.write(chunk)
        })
      const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS - 10_000)
      const [code] = (await once(child, 'close')) as [number | null]
      clearTimeout(timer)
      expect(code).toBe(0)
      expect(output).toMatch(/\d+ passed/)
    },
    LIMIT_MS,
  )
})
