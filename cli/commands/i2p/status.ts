import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'

/** `beam i2p status`: the router, and how far each address is. */
export default class I2pStatus extends BeamCommand {
  static override summary = 'Show the I2P routers that Beam uses, and how far each published address is.'
  static override description = 'Asks every Beam process of yours that uses I2P. Exit code 1 when none does.'
  static override examples = ['<%= config.bin %> i2p status', '<%= config.bin %> i2p status --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(I2pStatus)
    const { operateBackend } = await import('../../operate.ts')
    const answers = await operateBackend({ backend: 'i2p', operation: 'status' })
    if (flags.json) {
      const instances = answers.map(({ process: { pid }, answer }) => ({ pid, ...answer }))
      process.stdout.write(`${JSON.stringify({ instances })}\n`)
      return
    }
    const [{ i2pStatusText }, { columnsOf }, { colours }] = await Promise.all([
      import('../../output/i2p-text.ts'),
      import('../../output/layout.ts'),
      import('../../output/colours.ts'),
    ])
    const texts = answers.map(({ process: { pid }, answer }) =>
      i2pStatusText(pid, answer, columnsOf(process.stdout), colours(process.stdout)),
    )
    process.stdout.write(texts.join('\n'))
  }
}
