import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporaryPaths } from './plugins/memory-plugin.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
let paths: Awaited<ReturnType<typeof temporaryPaths>>
beforeEach(async () => {
  paths = await temporaryPaths()
})
afterEach(() => paths[Symbol.asyncDispose]())

/** What an example prints. It runs as its first lines say, in folders of its own and with no network but the loopback interface. */
function run(example: string): Promise<string> {
  const env = { ...process.env, BEAM_HOME: paths.home, BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }
  return new Promise((resolve, reject) => {
    const args = ['--import', 'tsx', '--conditions=beam:source', `examples/${example}`]
    execFile(process.execPath, args, { cwd: root, env, timeout: 18_000 }, (error, stdout, stderr) => {
      if (error === null && stderr === '') resolve(stdout)
      else reject(new Error(`${example} failed: ${stderr}`, { cause: error }))
    })
  })
}

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  '01-echo-in-memory.ts': ['publisher: ready', 'visitor: listening', 'echo: hello through the tunnel', 'publisher: stopped'],
  '02-http-over-the-mesh.ts': ['beam://', 'You asked for /hello'],
}

it.each(Object.entries(EXPECTED))('%s runs and does what it says', async (example, texts) => {
  const output = await run(example)
  for (const text of texts) expect(output).toContain(text)
})

it('every numbered example is run here', async () => {
  const files = (await readdir(new URL('../examples', import.meta.url))).filter((file) => /^\d+-.*\.ts$/.test(file))
  expect(files.toSorted()).toEqual(Object.keys(EXPECTED))
})
