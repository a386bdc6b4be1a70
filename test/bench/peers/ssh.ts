import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { cleanEnvironment } from '../children.ts'
import { freePort, installed } from './installed.ts'
import type { Peer, PeerContext, RunningPeer } from './peer.ts'

/** Where Debian's sshd, started as root, wants an empty folder. */
const PRIVILEGE_SEPARATION = '/run/sshd'

/** `ssh -R` as it comes: the ciphers are those that client and server agree on by default. */
export const ssh: Peer = sshPeer('ssh', 'ssh -R through an sshd of its own, default cipher', undefined)

/** The same with the cipher that is cheapest where the processor has AES; only on demand. */
export const sshAes: Peer = sshPeer('ssh-aes', 'ssh -R with aes128-gcm@openssh.com', 'aes128-gcm@openssh.com')

function sshPeer(name: string, what: string, cipher: string | undefined): Peer {
  return { name, what, missing, start: (context) => start(context, cipher) }
}

function missing(): string | undefined {
  const absent = ['ssh', 'sshd', 'ssh-keygen'].filter((program) => installed(program) === undefined)
  if (absent.length > 0) return `${absent.join(', ')} (Debian: apt-get install openssh-server)`
  if (userInfo().uid === 0 && !existsSync(PRIVILEGE_SEPARATION)) return `the folder ${PRIVILEGE_SEPARATION} (mkdir ${PRIVILEGE_SEPARATION})`
  return undefined
}

async function start({ origin, folder, children }: PeerContext, cipher: string | undefined): Promise<RunningPeer> {
  const env = cleanEnvironment(folder)
  const file = (name: string): string => join(folder, name)
  for (const name of ['host', 'user']) {
    execFileSync(installed('ssh-keygen')!, ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', file(name)], { env, timeout: 10_000 })
  }
  chmodSync(folder, 0o700)
  const port = await freePort()
  writeFileSync(file('authorized_keys'), readFileSync(file('user.pub')), { mode: 0o600 })
  writeFileSync(file('known_hosts'), `[127.0.0.1]:${port} ${readFileSync(file('host.pub'), 'utf8')}`)
  const ciphers = cipher === undefined ? [] : [`Ciphers ${cipher}`]
  const lines = (...text: readonly string[]): string => [...text, ...ciphers, ''].join('\n')
  writeFileSync(
    file('sshd_config'),
    lines(`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${file('host')}`, `AuthorizedKeysFile ${file('authorized_keys')}`, ...SERVER),
  )
  writeFileSync(
    file('ssh_config'),
    lines(`IdentityFile ${file('user')}`, `UserKnownHostsFile ${file('known_hosts')}`, `User ${userInfo().username}`, ...CLIENT),
  )
  const server = await children.start(installed('sshd')!, ['-D', '-e', '-f', file('sshd_config')], env)
  await server.waitFor(/Server listening/)
  const forward = ['-R', `127.0.0.1:0:127.0.0.1:${origin}`, '-p', String(port), '127.0.0.1']
  const client = await children.start(installed('ssh')!, ['-F', file('ssh_config'), '-N', ...forward], env)
  const [, allocated] = await client.waitFor(/Allocated port (\d+) for remote forward/)
  return { port: Number(allocated), publisher: [client.pid], connector: [server.pid] }
}

const SERVER = [
  'PidFile none',
  'UsePAM no',
  'StrictModes no',
  'PasswordAuthentication no',
  'KbdInteractiveAuthentication no',
  'PermitRootLogin prohibit-password',
  'AllowTcpForwarding remote',
  'PermitTTY no',
]
const CLIENT = [
  'IdentitiesOnly yes',
  'IdentityAgent none',
  'GlobalKnownHostsFile /dev/null',
  'StrictHostKeyChecking yes',
  'BatchMode yes',
  'ExitOnForwardFailure yes',
]
