import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { tmpdir } from 'node:os'
import type { Check, Finding } from './finding.ts'

/** A daemon that says its version does so at once; one that starts to work instead is stopped. */
const VERSION_DEADLINE_MS = 3_000

/** What a version takes at most; the rest is not read. */
const MAX_OUTPUT_BYTES = 64 * 1_024

/** A program that carries a network. */
export interface Daemon {
  readonly id: string
  readonly title: string
  /** Names of the program, the usual one first. */
  readonly programs: readonly string[]
  /** Arguments that print the version and do nothing else; absent where no such arguments are known. */
  readonly versionArgs?: readonly string[]
  /** The oldest that Beam can use, and the oldest that its project still looks after. */
  readonly versions?: { readonly oldest: string; readonly supported: string }
  /** Folders to look in besides the usual ones. */
  readonly folders?: readonly string[]
  /** What of Beam needs it. */
  readonly neededBy: string
  /** How to get it. */
  readonly install: string
}

/** Folders of daemons that only root's search path names, and those of package managers. */
const MORE_FOLDERS = process.platform === 'win32' ? [] : ['/usr/sbin', '/sbin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/local/bin']

/** The daemons that speak Tor's control protocol have one line of versions: client authorization for running services came with 0.4.6. */
const ONION_VERSIONS = { oldest: '0.4.6', supported: '0.4.8' }

/** Every daemon that a backend of Beam can use. */
export const DAEMONS: readonly Daemon[] = [
  {
    id: 'tor',
    title: 'Tor',
    programs: ['tor'],
    versionArgs: ['--version'],
    versions: ONION_VERSIONS,
    neededBy: '--tor',
    install: 'apt install tor, dnf install tor, pacman -S tor, brew install tor; on Windows the Tor Expert Bundle',
  },
  {
    id: 'anon',
    title: 'Anyone (ATOR)',
    programs: ['anon'],
    versionArgs: ['--version'],
    versions: ONION_VERSIONS,
    folders: [join('node_modules', '@anyone-protocol', 'anyone-client', 'bin', process.platform, process.arch)],
    neededBy: '--ator',
    install: 'the anon package of its project, or npm install --ignore-scripts @anyone-protocol/anyone-client',
  },
  {
    id: 'obfs4proxy',
    title: 'obfs4 (Tor)',
    programs: ['lyrebird', 'obfs4proxy'],
    neededBy: '--bridge',
    install: 'apt install obfs4proxy, brew install lyrebird',
  },
  {
    id: 'snowflake-client',
    title: 'Snowflake (Tor)',
    programs: ['snowflake-client'],
    neededBy: '--bridge',
    install: 'apt install snowflake-client, brew install snowflake',
  },
  {
    id: 'i2pd',
    title: 'i2pd',
    programs: ['i2pd'],
    versionArgs: ['--version'],
    neededBy: '--i2p',
    install: 'apt install i2pd, brew install i2pd',
  },
  {
    id: 'java',
    title: 'Java',
    programs: ['java'],
    versionArgs: ['-version'],
    neededBy: 'the Java I2P router, Hyphanet',
    install: 'apt install default-jre-headless',
  },
  {
    id: 'nym-client',
    title: 'Nym client',
    programs: ['nym-client', 'nym-socks5-client'],
    versionArgs: ['--version'],
    neededBy: '--nym',
    install: 'a release of nymtech/nym',
  },
  {
    id: 'veilid',
    title: 'Veilid',
    programs: ['veilid-server'],
    versionArgs: ['--version'],
    neededBy: '--veilid',
    install: 'the veilid-server of its project',
  },
  {
    id: 'freenet',
    title: 'Freenet',
    programs: ['freenet'],
    versionArgs: ['--version'],
    neededBy: '--freenet',
    install: 'cargo install --locked freenet',
  },
  {
    id: 'hyphanet',
    title: 'Hyphanet',
    programs: ['hyphanet', 'freenet-cli'],
    neededBy: '--freenet',
    install: 'its own installer',
  },
  { id: 'zeronet', title: 'ZeroNet', programs: ['zeronet', 'ZeroNet'], neededBy: '--zeronet', install: 'a release of ZeroNet' },
  {
    id: 'kpclientd',
    title: 'Katzenpost',
    programs: ['kpclientd'],
    versionArgs: ['-v'],
    neededBy: '--zkn',
    install: 'kpclientd by go install',
  },
  {
    id: 'bird',
    title: 'BIRD',
    programs: ['bird', 'bird2'],
    versionArgs: ['--version'],
    neededBy: '--friend-to-friend',
    install: 'apt install bird2',
  },
  {
    id: 'wireguard-go',
    title: 'WireGuard',
    programs: ['wireguard-go'],
    versionArgs: ['--version'],
    neededBy: '--friend-to-friend (managed)',
    install: 'apt install wireguard-go, brew install wireguard-go',
  },
  {
    id: 'wireguard',
    title: 'WireGuard tools',
    programs: ['wg'],
    versionArgs: ['--version'],
    neededBy: 'beam anonet status (attached)',
    install: 'apt install wireguard-tools, brew install wireguard-tools',
  },
]

/** One check for each daemon. A daemon that is missing is no fault: its network cannot be used, that is all. */
export function daemonChecks(env: NodeJS.ProcessEnv = process.env, folders: readonly string[] = MORE_FOLDERS): Check[] {
  return DAEMONS.map((daemon) => ({
    group: 'daemons',
    id: daemon.id,
    title: daemon.title,
    deadlineMs: VERSION_DEADLINE_MS + 1_000,
    async run() {
      const path = [env['PATH'] ?? '', ...folders, ...(daemon.folders ?? [])].join(delimiter)
      const program = await findProgram(daemon.programs, path)
      if (program === undefined) return { state: 'absent', detail: `not installed (${daemon.neededBy})`, advice: daemon.install }
      if (daemon.versionArgs === undefined) return { state: 'ok', detail: program }
      const output = await runBriefly(program, daemon.versionArgs)
      const version = output === undefined ? undefined : versionIn(output)
      if (version !== undefined) return judged(daemon, program, version)
      return {
        state: 'limited',
        detail: `${program} does not say its version`,
        advice: `Try it: ${program} ${daemon.versionArgs.join(' ')}`,
      }
    },
  }))
}

/** Whether a version is new enough. */
function judged({ versions, install }: Daemon, program: string, version: string): Pick<Finding, 'state' | 'detail' | 'advice'> {
  if (versions === undefined || !olderThan(version, versions.supported)) return { state: 'ok', detail: version }
  const why = olderThan(version, versions.oldest) ? `too old: Beam needs ${versions.oldest}` : 'old: its project no longer looks after it'
  return { state: 'limited', detail: `${version} (${program}), ${why}`, advice: `Update it: ${install}` }
}

/** Compares the first three figures. */
function olderThan(version: string, other: string): boolean {
  const [ours, theirs] = [version, other].map((text) => text.split(/[^0-9]/).map(Number))
  for (const index of [0, 1, 2]) {
    const difference = (ours?.[index] ?? 0) - (theirs?.[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** The first of the programs that is on the search path and may be run. */
export async function findProgram(programs: readonly string[], path: string): Promise<string | undefined> {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  for (const program of programs) {
    for (const folder of path.split(delimiter).filter((part) => part !== '')) {
      for (const suffix of suffixes) {
        const file = join(folder, program + suffix)
        if (
          await access(file, constants.X_OK).then(
            () => true,
            () => false,
          )
        )
          return file
      }
    }
  }
  return undefined
}

/** What a program prints on either stream before it ends, or undefined when it fails or runs on. */
export function runBriefly(program: string, args: readonly string[], deadlineMs = VERSION_DEADLINE_MS): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { cwd: tmpdir(), timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true } as const
    const child = execFile(program, args, options, (error, stdout, stderr) =>
      resolve(error?.killed === true ? undefined : `${stdout}\n${stderr}`),
    )
    child.stdin?.end()
  })
}

/** The version in what a program says of itself: `Tor version 0.4.8.10.` → `0.4.8.10`. */
export function versionIn(output: string): string | undefined {
  return /\bv?(\d+(?:\.\d+)+(?:[-+_~][0-9A-Za-z.-]*[0-9A-Za-z])?)/.exec(output)?.[1]
}
