import type { BeamError } from '../../core/index.ts'
import { installError } from './install-error.ts'

/** Longest explanation of npm's that is passed on. */
const MAX_TEXT = 600

/** Codes of npm and Node that mean that the registry was not reached. */
const OFFLINE = new Set([
  'ENOTCACHED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ERR_SOCKET_TIMEOUT',
])

/** What npm's complaint means, in one sentence. */
export function npmFailure(stderr: string, exitCode: number | null): BeamError {
  const lines = stderr.split(/\r?\n/).flatMap((line) => /^npm (?:error|ERR!) ?(.*)$/.exec(line)?.[1] ?? [])
  const code = lines.map((line) => /^code (\S+)/.exec(line)?.[1]).find((word) => word !== undefined)
  const told = lines.filter((line) => line !== '' && !/^(?:code|errno|syscall|path|dest) |complete log of this run/.test(line))
  const text = told.slice(0, 3).join(' ').slice(0, MAX_TEXT)
  if (code !== undefined && OFFLINE.has(code)) {
    return installError('npm could not reach its registry.', {
      hint: `Connect to the network, or install a folder or tarball. npm said: ${text}`,
    })
  }
  if (code === 'E404') return installError('The registry has no such package.', { hint: text })
  if (code === 'ETARGET') return installError('The package has no such version.', { hint: text })
  return installError(`npm failed (${code ?? `exit code ${exitCode ?? 'unknown'}`}).`, text === '' ? {} : { hint: text })
}
