import { execFile } from 'node:child_process'
import { access, constants, realpath } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Saying its version is all that the program does then. */
const VERSION_LIMIT_MS = 5_000
const MAX_OUTPUT_BYTES = 16 * 1024

/** Where i2pd is: as configured, or on the search path, on which Debian's /usr/sbin is often missing. Undefined when it is nowhere. */
export async function findI2pd(configured: string | undefined, path = process.env['PATH'] ?? ''): Promise<string | undefined> {
  const folders = [...path.split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'].filter((folder) => folder !== '')
  const candidates = configured === undefined ? folders.map((folder) => join(folder, 'i2pd')) : [configured]
  for (const file of candidates) {
    const usable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable) return file
  }
  return undefined
}

/** What the program says of its version; undefined when it says none. */
export async function versionOf(program: string): Promise<string | undefined> {
  try {
    const options = { timeout: VERSION_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const
    const { stdout } = await promisify(execFile)(program, ['--version'], options)
    return /version (\d[\w.-]*)/.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

/** Where the certificates are by which i2pd checks its first addresses; each packager has its own place. */
export async function findCertificates(program: string): Promise<string | undefined> {
  const own = await realpath(program).catch(() => program)
  const places = [
    join(dirname(own), '..', 'share', 'i2pd'),
    '/usr/share/i2pd',
    '/var/lib/i2pd',
    '/usr/local/share/i2pd',
    '/opt/homebrew/share/i2pd',
  ]
  for (const place of places) {
    const folder = join(place, 'certificates')
    const usable = await access(join(folder, 'reseed'), constants.R_OK).then(
      () => true,
      () => false,
    )
    if (usable) return folder
  }
  return undefined
}
