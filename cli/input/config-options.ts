import { boolean, string } from '@oclif/core/flags'
import type { LoadOptions } from '../../config/index.ts'
import { stderrLogger } from '../stderr-logger.ts'

/** Which configuration file is meant. */
export const FILE_FLAGS = {
  file: string({
    description: 'The file. Default: BEAM_CONFIG, else beam.config.yaml here or in a folder above, else the user’s own.',
    helpGroup: 'FILE',
    helpValue: 'FILE',
    exclusive: ['user'],
  }),
  user: boolean({ description: 'The user’s own file, which holds wherever no other one is found.', helpGroup: 'FILE' }),
}

/** Shows secrets too. */
export const REVEAL_FLAG = { reveal: boolean({ description: 'Show secrets too.', helpGroup: 'OUTPUT' }) }

/** What commands need to read the configuration: the file that is meant, and the plugins that know the backends' own settings. */
export async function configOptions(flags: {
  readonly file?: string | undefined
  readonly user?: boolean
  readonly verbose: boolean
}): Promise<LoadOptions & { readonly paths: { readonly config: string } }> {
  const [{ beamPaths, userFile }, { PluginHost }] = await Promise.all([
    import('../../config/index.ts'),
    import('../../plugins/plugin-host.ts'),
  ])
  const paths = beamPaths()
  const { schemaOf, knownBackends, failures } = new PluginHost({ paths, logger: await stderrLogger(flags.verbose) })
  const file = flags.user === true ? userFile(paths) : flags.file
  return { paths, schemaOf, knownBackends, failures, ...(file === undefined ? {} : { file }) }
}
