import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../cli/beam-process.ts'

const MOUNTS = ['--mount', '--map-root-user']
const possible = process.platform === 'linux' && spawnSync('unshare', [...MOUNTS, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

it('a disk that is full costs what needs it, each with a clear word, and nothing else', { timeout: 240_000 }, async ({ skip }) => {
  if (!possible) skip('needs Linux with unshare and a file system that can be mounted')
  await using folder = await temporaryFolder()
  const [disk, elsewhere] = [join(folder.path, 'disk'), join(folder.path, 'elsewhere')]
  for (const each of [disk, elsewhere]) mkdirSync(each)
  const child = fileURLToPath(new URL('full-disk-child.ts', import.meta.url))
  const run = [process.execPath, '--import', 'tsx', '--conditions=beam:source', child, disk, elsewhere]
  const script = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
  const { stdout, stderr } = spawnSync('unshare', [...MOUNTS, 'sh', '-c', script, disk, ...run], { encoding: 'utf8' })
  expect(stderr).toBe('')
  const full = expect.stringMatching(/cannot be written: the disk is full\./) as string
  expect(JSON.parse(stdout)).toEqual({
    // Keys are on disk before they are used.
    before: { node: [2, full], named: [2, full] },
    during: {
      status: [0, ''],
      stats: [1, expect.stringContaining('The history of the network cannot be read')],
      // Whom a visit accepted has to be remembered: else another could take the place later.
      resolve: [2, full],
      set: [2, full],
      register: [0, ''],
      restart: [0, ''],
    },
    code: 0,
    after: { damaged: [], stats: [0, ''] },
  })
})
