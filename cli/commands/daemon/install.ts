import { boolean } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { confirm } from '../../input/confirm.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeUnit } from '../../output/control-text.ts'

/** `beam daemon install`: the unit that starts the daemon at login. */
export default class DaemonInstall extends BeamCommand {
  static override summary = 'Show the systemd or launchd unit that starts the daemon at login, and write it.'
  static override description =
    'Writes nothing until you agree at the question, or with --yes. It needs no root: it is a unit of the user. It is not started either; the command for that is printed.'
  static override examples = ['<%= config.bin %> daemon install', '<%= config.bin %> daemon install --yes']
  static override flags = {
    yes: boolean({ char: 'y', description: 'Write it without asking.' }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonInstall)
    const { serviceUnit, writeServiceUnit } = await import('../../daemon/service-unit.ts')
    const unit = serviceUnit({
      platform: process.platform,
      node: process.execPath,
      script: process.argv[1] ?? '',
      env: process.env,
    })
    if (!flags.json) writeUnit(flags, unit, { written: false })
    const agreed = flags.yes || (!flags.json && (await confirm(`Write ${unit.file}?`)))
    if (agreed) await writeServiceUnit(unit)
    if (agreed || flags.json) writeUnit(flags, unit, { written: agreed })
  }
}
