import type { Beam } from '../plugins/beam.ts'
import { reportError } from './report-error.ts'
import { stderrLogger } from './stderr-logger.ts'

/** Flags that concern the Beam instance as a whole. */
export interface BeamFlags {
  readonly verbose: boolean
  readonly json?: boolean
  /** `--p2p-bootstrap`: takes precedence over `BEAM_P2P_BOOTSTRAP`. */
  readonly bootstrap?: string | undefined
  /** The configuration file. Default: the one that is found. */
  readonly file?: string | undefined
}

/** The Beam instance of a command. The SDK is loaded here and not before: help and version do without. */
export async function openBeam({ verbose, json = false, bootstrap, file }: BeamFlags): Promise<Beam> {
  const [{ createBeam }, { isPluginFault }] = await Promise.all([import('../plugins/create-beam.ts'), import('../plugins/faults.ts')])
  // Printed like any other error, and never with a stack trace that nobody asked for. What plugins do wrong is dealt with elsewhere.
  process.on('uncaughtException', (error) => {
    if (!isPluginFault(error)) process.exit(reportError(error, { json, verbose }))
  })
  const env = bootstrap === undefined ? process.env : { ...process.env, BEAM_P2P_BOOTSTRAP: bootstrap }
  return createBeam({ configFile: file ?? true, logger: await stderrLogger(verbose), env })
}
