import { homedir } from 'node:os'
import { join } from 'node:path'
import { requireProgram } from '../../live/requirements.ts'

/** One of the two daemons that speak Tor's protocols, with what differs between them. */
export interface Flavor {
  readonly name: 'tor' | 'anon'
  readonly binary: string
  /** Makes the keys of a directory authority. */
  readonly gencert: string
  /** What the configuration file is called in the daemon's flags; anon crashes on the other spelling. */
  readonly rc: 'torrc' | 'anonrc'
  /** Last label of the services' names. */
  readonly suffix: 'onion' | 'anon'
  /** Lines without which the daemon asks questions on its terminal. */
  readonly lines: readonly string[]
}

/** The package that ships Anyone's daemon, and the checksum of the program in it. */
export const ANON = {
  package: '@anyone-protocol/anyone-client',
  version: '1.1.3',
  /** Folder of the programs inside the package; only this platform has the authority's tool too. */
  programs: 'package/bin/linux/x64',
  sha256: 'ec00c60c185530465fa270c05d7b0ebf507fec9ac970f5a58c3be75247101e1c',
} as const

/** Where `npm run fetch-anon` puts the package: outside of the checkout, so that several share it and none commits it. */
export const ANON_FOLDER = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'beam-test', `anyone-client-${ANON.version}`)

/** Tor as it is installed, or undefined after having said how to install it. */
export function requireTor(): Flavor | undefined {
  const binary = requireProgram('tor', { apt: 'tor', brew: 'tor' })
  const gencert = requireProgram('tor-gencert', { apt: 'tor', brew: 'tor' })
  if (binary === undefined || gencert === undefined) return undefined
  return { name: 'tor', binary, gencert, rc: 'torrc', suffix: 'onion', lines: [] }
}

/** Anyone's daemon out of its npm package, or undefined after having said how to get it. */
export function requireAnon(): Flavor | undefined {
  const folder = join(ANON_FOLDER, ANON.programs)
  const advice = { other: 'npm run fetch-anon (48 MB; Linux on x64 only)' }
  const binary = requireProgram('anon', advice, folder)
  const gencert = requireProgram('anon-gencert', advice, folder)
  if (binary === undefined || gencert === undefined) return undefined
  return { name: 'anon', binary, gencert, rc: 'anonrc', suffix: 'anon', lines: ['AgreeToTerms 1'] }
}
