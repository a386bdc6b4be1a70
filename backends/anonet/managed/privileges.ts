import { execFile } from 'node:child_process'
import { access, constants, open, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { BackendUnavailableError } from '../../../core/index.ts'
import type { Uplink } from './protocol.ts'

/** Making a namespace takes milliseconds. */
const PROBE_LIMIT_MS = 5_000

/** What the namespace is made with. As root it is left with WireGuard's UDP sockets outside; others get one of their own user. */
const UNSHARE: Readonly<Record<Uplink, readonly string[]>> = {
  direct: ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
  relayed: ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
}

/** Programs of the managed mesh, and the Debian packages that have them. */
const PROGRAMS: ReadonlyArray<readonly [program: string, debianPackage: string]> = [
  ['wireguard-go', 'wireguard-go'],
  ['bird', 'bird2'],
  ['ip', 'iproute2'],
  ['unshare', 'util-linux'],
  ['nsenter', 'util-linux'],
]

/** The search path, with the folders where Debian keeps daemons. */
export function searchPath(env: NodeJS.ProcessEnv): string {
  return [...(env['PATH'] ?? '').split(delimiter).filter((part) => part !== ''), '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter)
}

/** The command that makes the namespace, for a program to be run in it. */
export function namespaceCommand(uplink: Uplink, program: readonly string[]): readonly string[] {
  // Descriptor 3 is the way back to the network namespace in which Beam was started.
  const inner = uplink === 'direct' ? ['sh', '-c', 'exec 3</proc/self/ns/net; exec unshare --net "$@"', 'sh', ...program] : program
  return ['unshare', ...UNSHARE[uplink], ...inner]
}

/** The command that runs a program in a namespace that is there: it ends when the first process in there does. */
export function joinCommand(
  { uplink, pid }: { readonly uplink: Uplink; readonly pid: number },
  program: readonly string[],
): readonly string[] {
  const user = uplink === 'relayed' ? ['--user', '--preserve-credentials'] : []
  return ['nsenter', '--target', String(pid), ...user, '--mount', '--net', '--pid', ...program]
}

/**
 * How Beam can make a mesh of its own here.
 * @throws BackendUnavailableError with what is missing, and the one command that grants it
 */
export async function findUplink(env: NodeJS.ProcessEnv = process.env): Promise<Uplink> {
  if (process.platform !== 'linux') {
    throw new BackendUnavailableError('A mesh of Beam’s own needs network namespaces, which only Linux has.', {
      hint: 'Use a mesh that is there already (mode: attach), or another network.',
    })
  }
  const path = searchPath(env)
  const missing = await missingPackages(path)
  if (missing.length > 0) {
    throw lacks(
      `Programs of the mesh are missing (${missing.join(', ')}).`,
      `sudo apt-get install ${missing.join(' ')}`,
      'BEAM_ERR_PROGRAM_MISSING',
    )
  }
  await checkTun()
  const root = process.getuid?.() === 0
  const said: string[] = []
  for (const uplink of root ? (['direct', 'relayed'] as const) : (['relayed'] as const)) {
    const failure = await probe(namespaceCommand(uplink, ['true']), path)
    if (failure === undefined) return uplink
    said.push(failure)
  }
  throw await namespacesRefused(root, said.join(' '))
}

async function missingPackages(path: string): Promise<string[]> {
  const found = await Promise.all(
    PROGRAMS.map(async ([program, name]) => {
      for (const folder of path.split(delimiter)) {
        const there = await access(join(folder, program), constants.X_OK).then(
          () => true,
          () => false,
        )
        if (there) return undefined
      }
      return name
    }),
  )
  return [...new Set(found.filter((name) => name !== undefined))]
}

async function checkTun(): Promise<void> {
  try {
    await (await open('/dev/net/tun', 'r+')).close()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENODEV') throw lacks('There is no /dev/net/tun on this machine.', 'sudo modprobe tun')
    throw lacks(`/dev/net/tun is not open to you (${code ?? 'unknown reason'}).`, 'sudo chmod 666 /dev/net/tun')
  }
}

function probe([program = '', ...args]: readonly string[], path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: PROBE_LIMIT_MS, killSignal: 'SIGKILL', env: { PATH: path } } as const
    execFile(program, args, options, (error, _, stderr) =>
      resolve(error === null ? undefined : stderr.trim().slice(0, 300) || error.message),
    )
  })
}

/** Why the kernel refuses user namespaces, by the settings that say so. */
const REFUSALS: ReadonlyArray<readonly [file: string, refuses: string, command: string]> = [
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'sudo sysctl kernel.unprivileged_userns_clone=1'],
  ['/proc/sys/user/max_user_namespaces', '0', 'sudo sysctl user.max_user_namespaces=10000'],
  ['/proc/sys/user/max_net_namespaces', '0', 'sudo sysctl user.max_net_namespaces=10000'],
  ['/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1', 'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0'],
]

async function namespacesRefused(root: boolean, said: string): Promise<BackendUnavailableError> {
  for (const [file, refuses, command] of REFUSALS) {
    const value = await readFile(file, 'utf8').catch(() => '')
    if (value.trim() === refuses) return lacks(`The kernel lets you make no network namespace (${file} is ${refuses}).`, command)
  }
  if (root) {
    return new BackendUnavailableError(`Root may make no network namespace here: ${said}`, {
      hint: 'This looks like a container. Start it with the privilege: docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun …',
    })
  }
  return lacks(`The kernel lets you make no network namespace: ${said}`, 'sudo beam … (as root it needs no such permission)')
}

function lacks(message: string, command: string, code?: string): BackendUnavailableError {
  return new BackendUnavailableError(message, { hint: `This grants it: ${command}`, ...(code !== undefined && { code }) })
}
