import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { authorityLine, type Layout } from './configuration.ts'
import { privateFolder } from './daemon.ts'
import type { Flavor } from './flavor.ts'

const NO_FINGERPRINT = 'F'.repeat(40)

/**
 * Addresses and ports of a new network. They stay in the snapshot, so each network has an address of its own where the system answers on
 * the whole of 127/8, and ports below those that connections get.
 */
export async function newLayout(relays: number): Promise<Layout> {
  const random = (below: number): number => 1 + Math.floor(Math.random() * below)
  const address = process.platform === 'linux' ? `127.${64 + random(62)}.${random(250)}.${random(250)}` : '127.0.0.1'
  const ports: number[] = []
  for (let port = 12_000 + random(15_000); ports.length < relays + 2; port++) if (await isFree(address, port)) ports.push(port)
  const [dirPort = 0, ...orPorts] = ports
  return { address, dirPort, orPorts }
}

/** Makes the keys of the authority and of all relays below `folder`; returns the authority's line. */
export async function makeKeys(flavor: Flavor, layout: Layout, folder: string): Promise<string> {
  const names = layout.orPorts.map((_, index) => nodeName(index))
  const [identity, fingerprint = ''] = await Promise.all([
    authorityKeys(flavor, layout, privateFolder(folder, nodeName(0))),
    ...names.map((name, index) => relayKeys(flavor, layout, name, layout.orPorts[index] ?? 0, privateFolder(folder, name))),
  ])
  return authorityLine(layout, identity, fingerprint)
}

/** Name of a relay by the index of its port; the first is the authority. */
export function nodeName(index: number): string {
  return index === 0 ? 'auth0' : `relay${index}`
}

/** `--list-fingerprint` makes a relay's keys without touching any network. */
async function relayKeys(flavor: Flavor, layout: Layout, name: string, orPort: number, folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)(flavor.binary, [
    ...[
      '--list-fingerprint',
      '--hush',
      `--ignore-missing-${flavor.rc}`,
      '-f',
      join(folder, 'none'),
      `--defaults-${flavor.rc}`,
      '/dev/null',
    ],
    ...['--DataDirectory', folder, '--ORPort', String(orPort), '--Nickname', name, '--Address', layout.address],
    ...['--TestingTorNetwork', '1', '--SocksPort', '0', '--Log', 'err stderr'],
    ...['--DirAuthority', `x orport=1 v3ident=${NO_FINGERPRINT} 127.0.0.1:1 ${NO_FINGERPRINT}`],
    ...flavor.lines.flatMap((line) => [`--${line.split(' ')[0]}`, line.split(' ').slice(1).join(' ')]),
  ])
  return stdout.trim().split('\n').at(-1)?.replace(/^\S+ /, '').replace(/\s/g, '') ?? ''
}

async function authorityKeys(flavor: Flavor, layout: Layout, folder: string): Promise<string> {
  const keys = privateFolder(folder, 'keys')
  const args = ['--create-identity-key', '-m', '12', '-a', `${layout.address}:${layout.dirPort}`, '--passphrase-fd', '0']
  const child = spawn(flavor.gencert, args, { cwd: keys, stdio: ['pipe', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdin.end('passphrase\n')
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${flavor.gencert} ended with ${code}: ${errors}`)
  return /fingerprint ([0-9A-F]{40})/.exec(readFileSync(join(keys, 'authority_certificate'), 'latin1'))?.[1] ?? ''
}

async function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer()
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, address, () => resolve(true))
  })
  server.close()
  return free
}
