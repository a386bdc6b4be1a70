import { BeamCommand } from '../base-command.ts'
import { requiredConfig } from '../config-file.ts'
import { JSON_FLAG, CONFIG_FLAG } from '../input/flags.ts'
import { writeStopped } from '../output/control-text.ts'

/** `beam down`: ends what `beam up` published. */
export default class Down extends BeamCommand {
  static override summary = 'End the tunnels of beam.config.yaml that “beam up” published.'
  static override description = 'Those of the daemon and those of a “beam up” in the foreground. Other tunnels go on.'
  static override examples = ['<%= config.bin %> down', '<%= config.bin %> down --file staging.yaml']
  static override flags = { ...CONFIG_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(Down)
    const file = await requiredConfig(flags.file)
    const [{ findProcesses }, { allTunnels }, { stopTunnels }, { beamPaths }] = await Promise.all([
      import('../daemon/find-processes.ts'),
      import('../daemon/select-tunnels.ts'),
      import('../daemon/stop-tunnels.ts'),
      import('../../config/paths.ts'),
    ])
    const declared = allTunnels(await findProcesses(beamPaths())).filter(({ tunnel }) => tunnel.config === file)
    const stopped = await stopTunnels(declared, 'stopped by beam down')
    writeStopped(flags, stopped)
    if (stopped.length === 0 && !flags.json) process.stdout.write(`Nothing of ${file} is published.\n`)
  }
}
