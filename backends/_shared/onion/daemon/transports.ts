import { access, constants } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { neededTransports } from './rc-file.ts'

/** The programs of pluggable transports, as distributions and projects name them, by the name in bridge lines. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  obfs2: ['obfs4proxy'],
  obfs3: ['obfs4proxy', 'lyrebird'],
  obfs4: ['lyrebird', 'obfs4proxy'],
  scramblesuit: ['obfs4proxy', 'lyrebird'],
  meek_lite: ['lyrebird', 'obfs4proxy'],
  webtunnel: ['webtunnel-client', 'lyrebird'],
  snowflake: ['snowflake-client', 'lyrebird'],
  conjure: ['conjure-client'],
}

/** The programs for the transports of some bridges: what is configured, else what is installed. */
export async function findTransports(
  bridges: readonly string[],
  configured: Readonly<Record<string, string>> = {},
  path: string = process.env['PATH'] ?? '',
): Promise<Readonly<Record<string, string>>> {
  const folders = [...path.split(delimiter).filter(isAbsolute), '/usr/local/bin', '/opt/homebrew/bin', '/usr/bin']
  const found: Record<string, string> = { ...configured }
  for (const name of neededTransports(bridges)) {
    const candidates = (PROGRAMS[name] ?? [name, `${name}-client`]).flatMap((program) => folders.map((folder) => join(folder, program)))
    for (const file of candidates) {
      if (
        found[name] === undefined &&
        (await access(file, constants.X_OK).then(
          () => true,
          () => false,
        ))
      )
        found[name] = file
    }
  }
  return found
}
