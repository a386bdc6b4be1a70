import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { BackendUnavailableError, ConfigError } from '../../../../core/index.ts'
import { OLDEST_VERSION, olderThan, parseVersion, SUPPORTED_VERSION, type Flavour } from '../flavour.ts'

/** `--version` prints a few lines at once; ten seconds cover a loaded machine. */
const VERSION_LIMIT_MS = 10_000
/** More than `--version` prints. */
const MAX_VERSION_BYTES = 16 * 1024

/** A daemon's program on this machine. */
export interface Program {
  readonly file: string
  readonly version: string
  /** Set when it is so old that its project gives no support. */
  readonly warning?: string
}

/** Where to look for it. */
export interface ProgramSearch {
  readonly flavour: Flavour
  /** The configuration's `binary`: a path, or a name to look for in PATH. */
  readonly binary?: string | undefined
  readonly path?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * The daemon's program: the configured one, else the first in PATH, else one of the usual places.
 * @throws BackendUnavailableError (`BEAM_ERR_PROGRAM_MISSING`) when there is none, or it is too old; ConfigError when the configured one is none
 */
export async function findProgram({ flavour, binary, path = process.env['PATH'] ?? '', signal }: ProgramSearch): Promise<Program> {
  const file = binary === undefined ? await search(flavour, path) : await configured(binary, path)
  const text = await versionText(file, signal)
  const version = new RegExp(`${flavour.versionWord} version (\\S+?)\\.?\\s`).exec(`${text}\n`)?.[1]
  const figures = version === undefined ? undefined : parseVersion(version)
  if (version === undefined || figures === undefined) {
    throw new ConfigError(`${file} does not say that it is ${flavour.program}.`, {
      hint: `Set binary to the program ${flavour.program}. ${flavour.install}`,
    })
  }
  if (olderThan(figures, OLDEST_VERSION)) {
    throw new BackendUnavailableError(
      `${file} has version ${version}, which is too old: Beam needs ${OLDEST_VERSION.join('.')} or newer.`,
      {
        code: 'BEAM_ERR_PROGRAM_MISSING',
        retry: 'never',
        hint: flavour.install,
      },
    )
  }
  const warning = `${flavour.program} ${version} is old and no longer supported by its project: update it.`
  return { file, version, ...(olderThan(figures, SUPPORTED_VERSION) ? { warning } : {}) }
}

async function search(flavour: Flavour, path: string): Promise<string> {
  const found = (await inPath(flavour.program, path)) ?? (await firstExecutable(flavour.places()))
  if (found !== undefined) return found
  throw new BackendUnavailableError(`The program ${flavour.program} is not installed.`, {
    code: 'BEAM_ERR_PROGRAM_MISSING',
    retry: 'never',
    hint: `${flavour.install} Or name it in the configuration: backends.${flavour.backend}.config.binary.`,
  })
}

async function configured(binary: string, path: string): Promise<string> {
  const file = isAbsolute(binary) || /[/\\]/.test(binary) ? await firstExecutable([binary]) : await inPath(binary, path)
  if (file !== undefined) return file
  throw new ConfigError(`The configured binary ${binary} is no program that this user can run.`, {
    hint: 'Correct it, or leave it out: Beam then looks in PATH and the usual places.',
  })
}

function inPath(name: string, path: string): Promise<string | undefined> {
  const endings = process.platform === 'win32' ? ['.exe', ''] : ['']
  return firstExecutable(
    path
      .split(delimiter)
      .filter(isAbsolute)
      .flatMap((folder) => endings.map((ending) => join(folder, name + ending))),
  )
}

async function firstExecutable(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    try {
      await access(file, constants.X_OK)
      return file
    } catch {
      // Not here.
    }
  }
  return undefined
}

function versionText(file: string, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: VERSION_LIMIT_MS, maxBuffer: MAX_VERSION_BYTES, windowsHide: true }
    const child = execFile(file, ['--version'], options, (error, stdout) => {
      signal?.removeEventListener('abort', onAbort)
      if (signal?.aborted === true) reject(signal.reason)
      // Another program may end with an error, and its text then says nothing of a version.
      else if (error !== null && stdout === '' && typeof error.code === 'string') reject(notStarted(file, error))
      else resolve(stdout)
    })
    child.stdin?.end()
    const onAbort = (): void => void child.kill('SIGKILL')
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
  })
}

function notStarted(file: string, cause: Error): BackendUnavailableError {
  return new BackendUnavailableError(`${file} could not be started: ${cause.message}`, { code: 'BEAM_ERR_PROGRAM_FAILED', cause })
}
