import { string as stringArg } from '@oclif/core/args'
import { BeamCommand, type CommandClass } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { authListOf } from '../../onion/answers.ts'
import { operateOnFiles } from '../../onion/ask.ts'
import { ATOR, TOR, type OnionNetwork } from '../../onion/networks.ts'

function authListCommand(network: OnionNetwork): CommandClass {
  const { backend } = network
  /** `beam tor auth list`, `beam ator auth list`. */
  return class AuthList extends BeamCommand {
    static override summary = 'List who may visit named tunnels that let only known visitors in.'
    static override examples = [`<%= config.bin %> ${backend} auth list`, `<%= config.bin %> ${backend} auth list web --json`]
    static override args = { service: stringArg({ description: 'Name of the tunnel (--name). Default: all.' }) }
    static override flags = JSON_FLAG

    async run(): Promise<void> {
      const { args, flags } = await this.parse(AuthList)
      const [answer = {}] = await operateOnFiles(network, 'auth-list', args.service === undefined ? {} : { service: args.service })
      const services = authListOf(answer)
      if (flags.json) return void process.stdout.write(`${JSON.stringify({ network: backend, services })}\n`)
      const [{ authText }, { colours }] = await Promise.all([import('../../output/onion-text.ts'), import('../../output/colours.ts')])
      if (services.length === 0) process.stdout.write(`Every named tunnel is open. To close one: beam ${backend} auth add NAME VISITOR\n`)
      for (const service of services) process.stdout.write(authText(service, colours(process.stdout)))
    }
  }
}

export const TorAuthList = authListCommand(TOR)
export const AtorAuthList = authListCommand(ATOR)
