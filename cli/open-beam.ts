import type { Beam } from '../plugins/beam.ts'
import { reportError } from './report-error.ts'
import { stderrLogger } from './stderr-logger.ts'

/** Flags that concern the Beam instance as a whole. */
export interface BeamFlags {
  readonly verbose: boolean
  readonly json?: boolean
  /** `--p2p-bootstrap`: takes precedence over `BEAM_P2P_BOOTSTRAP`. */
  readonly bootstrap?: string | undefined
  /** Variables of settings that other flags give (`x-env` of the schemas); they take precedence over the process's. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /** The configuration file. Default: the one that is found. */
  readonly file?: string | undefined
}

/** The Beam instance of a command. The SDK is loaded here and not before: help and version do without. */
export async function openBeam({ verbose, json = false, file, ...settings }: BeamFlags): Promise<Beam> {
  const [{ createBeam }, { isPluginFault }] = await Promise.all([import('../plugins/create-beam.ts'), import('../plugins/faults.ts')])
  // Printed like any other error, and never with a stack trace that nobody asked for. What plugins do wrong is dealt with elsewhere.
  process.on('uncaughtException', (error) => {
    if (!isPluginFault(error)) process.exit(reportError(error, { json, verbose }))
  })
  try {
    return await createBeam({ configFile: file ?? true, logger: await stderrLogger(verbose), env: environmentOf(settings) })
  } catch (error) {
    const { inFlags } = await import('./flag-problems.ts')
    throw inFlags(error, { BEAM_P2P_BOOTSTRAP: settings.bootstrap, ...settings.environment })
  }
}

/** The variables that count for a command: the process's, and above them what its flags say. */
export function environmentOf({ bootstrap, environment }: Pick<BeamFlags, 'bootstrap' | 'environment'>): NodeJS.ProcessEnv {
  return { ...process.env, ...(bootstrap === undefined ? {} : { BEAM_P2P_BOOTSTRAP: bootstrap }), ...environment }
}
