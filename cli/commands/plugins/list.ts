import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam plugins list`: what is in Beam's own folder of plugins. */
export default class PluginsList extends BeamCommand {
  static override summary = 'List the plugins that are installed in Beam’s own folder, and whether the configuration names them.'
  static override description =
    'A plugin is loaded only where beam.config.yaml names it. Runs no code of any plugin. Backends of plugins elsewhere: beam backend list.'
  static override examples = ['<%= config.bin %> plugins list', '<%= config.bin %> plugins list --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(PluginsList)
    const [{ beamPaths }, { installedPlugins, pluginsFolder }, { namedPlugins }] = await Promise.all([
      import('../../../config/index.ts'),
      import('../../../plugins/installed/index.ts'),
      import('../../../config/named-plugins.ts'),
    ])
    const paths = beamPaths()
    const [installed, named] = await Promise.all([installedPlugins(paths), namedPlugins()])
    const plugins = installed.map((plugin) => ({ ...plugin, named: named.plugins.includes(plugin.package) }))
    if (flags.json) return writeJson({ folder: pluginsFolder(paths), ...(named.file === undefined ? {} : { file: named.file }), plugins })
    const [{ pluginsText }, { columnsOf }, { colours }] = await Promise.all([
      import('../../output/plugins-text.ts'),
      import('../../output/layout.ts'),
      import('../../output/colours.ts'),
    ])
    process.stdout.write(pluginsText(plugins, columnsOf(process.stdout), colours(process.stdout)))
  }
}
