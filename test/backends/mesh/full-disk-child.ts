// Beam with a disk that fills up under it, in a mount namespace of its own: node full-disk-child.ts <folder that is the disk> <another>
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beam, BeamProcess } from '../../cli/beam-process.ts'

const [disk = '', elsewhere = ''] = process.argv.slice(2)
const fill = join(disk, 'fill')

/** Leaves no room for a single byte more. */
function fillUp(): void {
  for (const size of [4096, 1]) {
    try {
      for (;;) writeFileSync(fill, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // That was the last of it.
    }
  }
}

/** How a command ended, and the first line of what it said about it. */
async function outcome(...args: string[]): Promise<readonly [code: number | null, said: string]> {
  const { code, stderr } = await beam(args, disk)
  return [code, (stderr.split('\n')[0] ?? '').replaceAll(disk, '')]
}

await using relay = new BeamProcess(['node', '--bind', '127.0.0.1', '--json'], { folder: elsewhere })
const [address = ''] = (await relay.event('node'))['addresses'] as string[]
mkdirSync(join(disk, 'home'))

fillUp()
const before = {
  node: await outcome('node', '--bind', '127.0.0.1'),
  named: await outcome('3999', '--name', 'web'),
}
rmSync(fill)

await using published = new BeamProcess(['3999', '--p2p-routing', '--p2p-peers', address, '--domain', 'full.local', '--json'], {
  folder: disk,
})
await published.event('ready')
fillUp()
const during = {
  status: await outcome('network', 'status'),
  stats: await outcome('network', 'stats'),
  resolve: await outcome('resolve', 'full.local'),
  set: await outcome('config', 'set', 'p2p.maxPeers', '7'),
  register: await outcome('domain', 'register', 'other.local'),
  restart: await outcome('network', 'restart'),
}
const { code } = await published.stop()
rmSync(fill)
// What was to be kept is whole, or is not there.
const damaged = readdirSync(disk, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.json') && !isJson(join(disk, name)),
)
const after = { damaged, stats: await outcome('network', 'stats') }
console.log(JSON.stringify({ before, during, code, after }))

function isJson(file: string): boolean {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) !== undefined
  } catch {
    return false
  }
}
