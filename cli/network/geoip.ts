import { readFile, stat } from 'node:fs/promises'
import { ConfigError } from '../../core/errors.ts'
import { foreignText } from '../output/foreign-text.ts'

/** Databases of cities of the whole world are some 70 MB; what is larger is no database of countries. */
const MAX_FILE_BYTES = 256 * 1024 * 1024

/** Tells the country of an IP address; undefined when the database does not know. */
export type CountryOf = (host: string) => string | undefined

/**
 * Opens a GeoIP database in MaxMind's format (.mmdb: GeoLite2, DB-IP and others), which the user supplies: none comes with Beam, and nothing
 * is asked over a network.
 * @throws ConfigError (`BEAM_ERR_USAGE`) for a file that cannot be read or is no such database
 */
export async function openGeoip(file: string): Promise<CountryOf> {
  try {
    const { size } = await stat(file)
    if (size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`)
    const [{ Reader }, bytes] = await Promise.all([import('mmdb-lib'), readFile(file)])
    const reader = new Reader(bytes)
    return (host) => countryIn(reader, host)
  } catch (error) {
    throw new ConfigError(`${file} cannot be used as a GeoIP database: ${(error as Error).message}.`, {
      code: 'BEAM_ERR_USAGE',
      hint: 'Give a file in MaxMind’s format (.mmdb), such as GeoLite2-Country or a database of DB-IP.',
      cause: error,
    })
  }
}

/** What databases of countries and of cities have in common. */
function countryIn(reader: { get(host: string): unknown }, host: string): string | undefined {
  try {
    const entry = reader.get(host) as { readonly country?: Entry; readonly registered_country?: Entry } | null
    const { iso_code: code, names } = entry?.country ?? entry?.registered_country ?? {}
    const text = typeof code === 'string' ? code : names?.['en']
    return typeof text === 'string' ? foreignText(text).slice(0, 40) : undefined
  } catch {
    // An address that it does not understand, or a damaged entry: one peer without a country.
    return undefined
  }
}

interface Entry {
  readonly iso_code?: unknown
  readonly names?: Readonly<Record<string, unknown>>
}
