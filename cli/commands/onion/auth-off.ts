import { string as stringArg } from '@oclif/core/args'
import { BeamCommand, type CommandClass } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { changeAuth } from '../../onion/change-auth.ts'
import { ATOR, TOR, type OnionNetwork } from '../../onion/networks.ts'

function authOffCommand(network: OnionNetwork): CommandClass {
  const { backend } = network
  /** `beam tor auth off`, `beam ator auth off`. */
  return class AuthOff extends BeamCommand {
    static override summary = 'Open a named tunnel to everybody who has its address, and forget the keys of its visitors.'
    static override examples = [`<%= config.bin %> ${backend} auth off web`, `<%= config.bin %> ${backend} auth off web --json`]
    static override args = { service: stringArg({ description: 'Name of the tunnel (--name).', required: true }) }
    static override flags = JSON_FLAG

    async run(): Promise<void> {
      const { args, flags } = await this.parse(AuthOff)
      const changed = await changeAuth(network, 'auth-off', { service: args.service })
      if (flags.json) return void process.stdout.write(`${JSON.stringify(changed)}\n`)
      const { liveText } = await import('../../output/onion-text.ts')
      process.stdout.write(`Everybody who has the address may visit “${args.service}” now. ${liveText(changed.live)}\n`)
    }
  }
}

export const TorAuthOff = authOffCommand(TOR)
export const AtorAuthOff = authOffCommand(ATOR)
