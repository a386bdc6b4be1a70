import { mkdir, readdir, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackendUnavailableError, tryProcessLock, type BeamPaths } from '../../../core/index.ts'
import type { BirdClient } from '../bird/client.ts'
import { birdError } from '../bird/reply.ts'
import { readConfigPath, readProtocols } from '../bird/tables.ts'
import { prefixText, type Prefix } from '../mesh-address.ts'

/** The folder beside BIRD's configuration that it must include: `include "beam.d/*.conf";`. */
const FOLDER = 'beam.d'
const OURS = /^beam-[\d-]+\.conf$/

/** What an announcement needs. */
export interface AnnouncementParts {
  readonly client: BirdClient
  readonly paths: BeamPaths
  readonly prefix: Prefix
}

/** A prefix that BIRD announces because Beam asked it to: one static route in a file of Beam's own. */
export class Announcement {
  readonly #file: string
  readonly #lock: AsyncDisposable

  private constructor(file: string, lock: AsyncDisposable) {
    this.#file = file
    this.#lock = lock
  }

  /**
   * Writes the file, has BIRD check it, and takes it back when BIRD does not want it.
   * @throws BackendUnavailableError saying what is missing
   */
  static async make({ client, paths, prefix }: AnnouncementParts): Promise<Announcement> {
    const folder = await announcementFolder(client)
    const text = prefixText(prefix)
    const name = text.replace(/[./]/g, '-')
    const file = join(folder, `beam-${name}.conf`)
    const result = await tryProcessLock(paths, `anonet announcement ${file}`)
    if (!('lock' in result)) throw new BackendUnavailableError(`Another Beam process (${result.heldBy}) announces ${text}.`)
    const announcement = new Announcement(file, result.lock)
    const protocol = `beam_${name.replaceAll('-', '_')}`
    try {
      const lines = [
        '# Written by Beam, which removes it when it ends.',
        `protocol static ${protocol} { ipv4; route ${text} blackhole; }`,
        '',
      ]
      await writeFile(file, lines.join('\n'), { mode: 0o644 }).catch((cause: NodeJS.ErrnoException) => {
        throw new BackendUnavailableError(`${folder} cannot be written to (${cause.code ?? cause.message}).`, {
          hint: grant(folder),
          cause,
        })
      })
      const check = birdError(await client.ask('configure check'))
      if (check !== undefined)
        throw new BackendUnavailableError(`BIRD does not accept the announcement of ${text}: ${check}.`, {
          hint: 'Its configuration has to be valid as it is: birdc configure check',
        })
      await client.run('configure')
      const known = readProtocols(await client.ask('show protocols'))
      if (!known.some((each) => each.name === protocol)) {
        throw new BackendUnavailableError(`BIRD does not read ${folder}.`, {
          hint: `Add this line to its configuration: include "${FOLDER}/*.conf";`,
        })
      }
      return announcement
    } catch (error) {
      await announcement.withdraw(client)
      throw error
    }
  }

  async withdraw(client: BirdClient | undefined): Promise<void> {
    try {
      await unlink(this.#file).catch(() => {})
      await client?.ask('configure').catch(() => {})
    } finally {
      await this.#lock[Symbol.asyncDispose]()
    }
  }
}

/** Where BIRD's configuration is; BIRD tells it when it is asked to check it. */
async function announcementFolder(client: BirdClient): Promise<string> {
  const config = readConfigPath(await client.ask('configure check'))
  if (config === undefined) throw new BackendUnavailableError('BIRD does not say where its configuration is.')
  const folder = join(dirname(config), FOLDER)
  const there = await stat(folder).catch(() => undefined)
  if (there?.isDirectory() === true) return folder
  try {
    // Beside a configuration that the user may write to, it is made.
    await mkdir(folder)
    return folder
  } catch (cause) {
    throw new BackendUnavailableError(`There is no folder ${folder} for announcements.`, { hint: grant(folder), cause })
  }
}

function grant(folder: string): string {
  return `sudo install -d -o "$USER" ${folder}, and in BIRD's configuration: include "${FOLDER}/*.conf"; Or announce the prefix there yourself.`
}

/** Removes announcements of this user's Beams that were killed: nobody holds their locks any more. */
export async function sweepAnnouncements(client: BirdClient, paths: BeamPaths): Promise<void> {
  const config = readConfigPath(await client.ask('configure check'))
  if (config === undefined) return
  const folder = join(dirname(config), FOLDER)
  let removed = false
  for (const name of (await readdir(folder).catch(() => [])).filter((each) => OURS.test(each))) {
    const file = join(folder, name)
    const stats = await stat(file).catch(() => undefined)
    if (stats === undefined || stats.uid !== process.getuid?.()) continue
    const result = await tryProcessLock(paths, `anonet announcement ${file}`)
    if (!('lock' in result)) continue
    await unlink(file).catch(() => {})
    await result.lock[Symbol.asyncDispose]()
    removed = true
  }
  if (removed) await client.ask('configure')
}
