import type { Beam } from '../plugins/beam.ts'
import { stderrLogger } from './stderr-logger.ts'

/** Flags that concern the Beam instance as a whole. */
export interface BeamFlags {
  readonly verbose: boolean
  /** `--p2p-bootstrap`: takes precedence over `BEAM_P2P_BOOTSTRAP`. */
  readonly bootstrap?: string | undefined
}

/** The Beam instance of a command. The SDK is loaded here and not before: help and version do without. */
export async function openBeam({ verbose, bootstrap }: BeamFlags): Promise<Beam> {
  const { createBeam } = await import('../plugins/create-beam.ts')
  const env = bootstrap === undefined ? process.env : { ...process.env, BEAM_P2P_BOOTSTRAP: bootstrap }
  return createBeam({ configFile: true, logger: await stderrLogger(verbose), env })
}
