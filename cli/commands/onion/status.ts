import { boolean } from '@oclif/core/flags'
import { BeamCommand, type CommandClass } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { statusOf } from '../../onion/answers.ts'
import { ATOR, TOR, type OnionNetwork } from '../../onion/networks.ts'

function statusCommand(network: OnionNetwork): CommandClass {
  const { backend, title } = network
  /** `beam tor status`, `beam ator status`. */
  return class Status extends BeamCommand {
    static override summary = `Show the ${title} daemons that Beam uses: how far they are, circuits, guards, onion services.`
    static override description = 'Asks the daemon and the commands in the foreground of this user, also while they still join the network.'
    static override examples = [
      `<%= config.bin %> ${backend} status`,
      `<%= config.bin %> ${backend} status --circuits`,
      `<%= config.bin %> ${backend} status --json`,
    ]
    static override flags = {
      ...JSON_FLAG,
      circuits: boolean({ description: 'List the circuits with their relays.', helpGroup: 'OUTPUT' }),
    }

    async run(): Promise<void> {
      const { flags } = await this.parse(Status)
      const { operateBackend } = await import('../../operate.ts')
      const answers = await operateBackend({ backend, operation: 'status' })
      const instances = answers.map(({ process: { pid, role }, answer }) => ({ process: { pid, role }, status: statusOf(answer) }))
      if (flags.json) return void process.stdout.write(`${JSON.stringify({ network: backend, instances })}\n`)
      const [{ onionStatusText }, { colours }, { columnsOf }] = await Promise.all([
        import('../../output/onion-text.ts'),
        import('../../output/colours.ts'),
        import('../../output/layout.ts'),
      ])
      const options = { columns: columnsOf(process.stdout), paint: colours(process.stdout), circuits: flags.circuits }
      process.stdout.write(instances.map(({ process: owner, status }) => onionStatusText(network, status, owner, options)).join('\n'))
    }
  }
}

export const TorStatus = statusCommand(TOR)
export const AtorStatus = statusCommand(ATOR)
