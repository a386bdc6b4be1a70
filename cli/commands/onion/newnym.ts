import { BeamCommand, type CommandClass } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { ATOR, TOR, type OnionNetwork } from '../../onion/networks.ts'

function newnymCommand({ backend, title }: OnionNetwork): CommandClass {
  /** `beam tor newnym`, `beam ator newnym`. */
  return class Newnym extends BeamCommand {
    static override summary = `Use new ${title} circuits for new connections.`
    static override description =
      'Connections that are open keep theirs, and published services keep their addresses. The daemons do it once in ten seconds at most.'
    static override examples = [`<%= config.bin %> ${backend} newnym`, `<%= config.bin %> ${backend} newnym --json`]
    static override flags = JSON_FLAG

    async run(): Promise<void> {
      const { flags } = await this.parse(Newnym)
      const { operateBackend } = await import('../../operate.ts')
      const answers = await operateBackend({ backend, operation: 'newnym' })
      const processes = answers.map(({ process: { pid, role } }) => ({ pid, role }))
      if (flags.json) return void process.stdout.write(`${JSON.stringify({ network: backend, processes })}\n`)
      const whose = processes.map(({ pid }) => `process ${pid}`).join(', ')
      process.stdout.write(`New connections through ${title} use new circuits (${whose}).\n`)
    }
  }
}

export const TorNewnym = newnymCommand(TOR)
export const AtorNewnym = newnymCommand(ATOR)
