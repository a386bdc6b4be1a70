import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** How a program is installed. */
export interface Installation {
  /** Debian's and Ubuntu's package. */
  readonly apt?: string
  /** Homebrew's package. */
  readonly brew?: string
  /** Any other way, in one sentence. */
  readonly other?: string
}

const told = new Set<string>()

/** Says what is missing; under CI, where everything was to be installed, that is a failure. */
function missing(what: string, advice: string): undefined {
  const message = `${what} is missing: ${advice}`
  if (process.env['CI']) throw new Error(message)
  if (!told.has(message)) process.stderr.write(`not run here: ${message}\n`)
  told.add(message)
  return undefined
}

/**
 * The path of a program, or undefined after having said how to install it. Use: `describe.runIf(requireProgram('ssh', { apt: 'openssh-client' }))`.
 * @throws Error when the program is missing and CI is set.
 */
export function requireProgram(name: string, installation: Installation, path: string = process.env['PATH'] ?? ''): string | undefined {
  // Debian keeps daemons where only root looks.
  const folders = [...path.split(delimiter), ...(process.platform === 'win32' ? [] : ['/usr/sbin', '/sbin'])]
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  for (const file of folders.flatMap((folder) => endings.map((ending) => join(folder, name + ending)))) {
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not here.
    }
  }
  const ways = [
    installation.apt && `apt-get install ${installation.apt}`,
    installation.brew && `brew install ${installation.brew}`,
    installation.other,
  ]
  return missing(name, ways.filter(Boolean).join(', or ') || 'see CONTRIBUTING.md')
}

/**
 * Program and first arguments that run a shell command in a network namespace of its own (Linux; as root, or where user namespaces are
 * allowed). Undefined, after having said why, where that is not possible.
 */
export function requireNamespaces(): readonly [string, ...string[]] | undefined {
  if (process.platform !== 'linux') return missing('a network namespace', 'only Linux has them')
  const unshare = requireProgram('unshare', { apt: 'util-linux' })
  if (unshare === undefined || requireProgram('ip', { apt: 'iproute2' }) === undefined) return undefined
  for (const flags of [['--net'], ['--user', '--map-root-user', '--net']]) {
    if (spawnSync(unshare, [...flags, 'ip', 'link', 'set', 'lo', 'up']).status === 0) return [unshare, ...flags]
  }
  return missing('a network namespace', 'run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)')
}
