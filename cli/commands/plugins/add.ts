import { string as stringArg } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { SAVE_FLAG } from '../../input/save-plugins.ts'
import { Lifetime } from '../../lifetime.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam plugins add`: installs packages with backends. */
export default class PluginsAdd extends BeamCommand {
  static override strict = false
  static override usage = 'plugins add PACKAGE|FOLDER|TARBALL ... [FLAGS]'
  static override summary = 'Install plugins into Beam’s own data folder, with npm and for this user alone.'
  static override description =
    'Takes packages of the registry, folders (which are copied as they would be packed; to use one in place, name it under plugins instead) and tarballs. Their manifests are checked and none of their code is run. Either all are installed or nothing changes. A plugin is used only where beam.config.yaml names it: --save adds it there; without it you are asked at a terminal.'
  static override examples = [
    '<%= config.bin %> plugins add beam-backend-example --save',
    '<%= config.bin %> plugins add @me/my-backend@1.2',
    '<%= config.bin %> plugins add ./my-backend-1.2.0.tgz --no-save',
  ]
  static override args = {
    plugin: stringArg({ description: 'Packages (name, name@version), folders (./…) and tarballs (….tgz).', required: true }),
  }
  static override flags = {
    ...SAVE_FLAG,
    scripts: boolean({
      description: 'Run the install scripts of the packages and of what they depend on: code of theirs, with all your rights.',
      helpGroup: 'NPM',
    }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(PluginsAdd)
    const [{ beamPaths }, { addPlugins }, { savePlugins }] = await Promise.all([
      import('../../../config/index.ts'),
      import('../../../plugins/installed/index.ts'),
      import('../../input/save-plugins.ts'),
    ])
    const { signal } = new Lifetime()
    const options = { paths: beamPaths(), cwd: process.cwd(), scripts: flags.scripts, signal }
    const installed = await addPlugins(argv as string[], options)
    if (!flags.json) for (const { package: name, version = '' } of installed) process.stdout.write(`Installed ${name} ${version}\n`)
    const saved = await savePlugins({ add: installed.map((plugin) => plugin.package) }, flags)
    if (flags.json) writeJson({ plugins: installed, ...saved })
  }
}
