import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { operateBackend } from '../../operate.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam anonet status`: the mesh as it is now. */
export default class AnonetStatus extends BeamCommand {
  static override summary = 'Show sessions, prefixes, traffic and handshakes of the mesh.'
  static override description = 'Asks every Beam process of yours that uses anonet. Exit code 1 when none does.'
  static override examples = ['<%= config.bin %> anonet status', '<%= config.bin %> anonet status --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(AnonetStatus)
    const answers = await operateBackend({ backend: 'anonet', operation: 'status' })
    if (flags.json) return writeJson({ meshes: answers.map(({ process: { pid }, answer }) => ({ pid, ...answer })) })
    const [{ statusText }, { columnsOf }, { colours }] = await Promise.all([
      import('../../output/anonet-text.ts'),
      import('../../output/layout.ts'),
      import('../../output/colours.ts'),
    ])
    for (const { answer } of answers) process.stdout.write(statusText(answer, columnsOf(process.stdout), colours(process.stdout)))
  }
}
