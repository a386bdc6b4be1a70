import { string as stringArg } from '@oclif/core/args'
import { BeamCommand, type CommandClass } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { changeAuth } from '../../onion/change-auth.ts'
import { ATOR, TOR, type OnionNetwork } from '../../onion/networks.ts'

function authRemoveCommand(network: OnionNetwork): CommandClass {
  const { backend } = network
  /** `beam tor auth remove`, `beam ator auth remove`. */
  return class AuthRemove extends BeamCommand {
    static override summary = 'Let a visitor no longer into a named tunnel.'
    static override description = `A tunnel whose last visitor was removed lets nobody in; to open it to everybody again: beam ${backend} auth off. Connections that are open end with it.`
    static override examples = [
      `<%= config.bin %> ${backend} auth remove web alice`,
      `<%= config.bin %> ${backend} auth remove web alice --json`,
    ]
    static override args = {
      service: stringArg({ description: 'Name of the tunnel (--name).', required: true }),
      client: stringArg({ description: 'Your name for the visitor.', required: true }),
    }
    static override flags = JSON_FLAG

    async run(): Promise<void> {
      const { args, flags } = await this.parse(AuthRemove)
      const changed = await changeAuth(network, 'auth-remove', { service: args.service, client: args.client })
      if (flags.json) return void process.stdout.write(`${JSON.stringify(changed)}\n`)
      const { liveText } = await import('../../output/onion-text.ts')
      const left = changed.clients.length === 0 ? ' Nobody is left who may.' : ''
      process.stdout.write(`“${args.client}” may visit “${args.service}” no longer.${left} ${liveText(changed.live)}\n`)
    }
  }
}

export const TorAuthRemove = authRemoveCommand(TOR)
export const AtorAuthRemove = authRemoveCommand(ATOR)
