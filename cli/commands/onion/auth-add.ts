import { string as stringArg } from '@oclif/core/args'
import { string } from '@oclif/core/flags'
import { BeamCommand, type CommandClass } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { changeAuth } from '../../onion/change-auth.ts'
import { newClientKeyPair } from '../../onion/client-key.ts'
import { ATOR, TOR, type OnionNetwork } from '../../onion/networks.ts'

function authAddCommand(network: OnionNetwork): CommandClass {
  const { backend, suffix } = network
  /** `beam tor auth add`, `beam ator auth add`. */
  return class AuthAdd extends BeamCommand {
    static override summary = 'Let a visitor into a named tunnel, and from now on nobody else without a key.'
    static override description = `Makes a key pair and prints the visitor’s private key, this once: it is kept nowhere. With --public-key the visitor’s own is used. Works while the tunnel runs and while it does not. Without the key, the network gives out nothing about the service, not even whether it is there. The visitor uses: beam connect ADDRESS.${suffix} --auth-key FILE`
    static override examples = [
      `<%= config.bin %> ${backend} auth add web alice`,
      `<%= config.bin %> ${backend} auth add web bob --public-key KEY`,
      `<%= config.bin %> ${backend} auth add web alice --json`,
    ]
    static override args = {
      service: stringArg({ description: 'Name of the tunnel (--name).', required: true }),
      client: stringArg({ description: 'Your name for the visitor.', required: true }),
    }
    static override flags = {
      ...JSON_FLAG,
      'public-key': string({
        description:
          'The visitor’s public x25519 key, in base32, base64 or as a line of a daemon’s .auth file. Default: a new pair is made.',
        helpGroup: 'ACCESS',
        helpValue: 'KEY',
      }),
    }

    async run(): Promise<void> {
      const { args, flags } = await this.parse(AuthAdd)
      const pair = flags['public-key'] === undefined ? newClientKeyPair() : undefined
      const { service, client } = args
      const publicKey = pair?.publicKey ?? flags['public-key']
      const changed = await changeAuth(network, 'auth-add', { service, client, publicKey })
      const { privateKey } = pair ?? {}
      if (flags.json)
        return void process.stdout.write(`${JSON.stringify({ ...changed, ...(privateKey === undefined ? {} : { privateKey }) })}\n`)
      const { liveText } = await import('../../output/onion-text.ts')
      process.stdout.write(`“${client}” may visit “${service}” now. ${liveText(changed.live)}\n`)
      if (privateKey === undefined) return
      process.stdout.write(
        `\nThe visitor’s private key, shown this once. Pass it on by a way that nobody else reads:\n\n${privateKey}\n\nIn a file of the visitor’s: beam connect ADDRESS --auth-key FILE.${backend === 'tor' ? ' Tor Browser asks for it.' : ''}\n`,
      )
    }
  }
}

export const TorAuthAdd = authAddCommand(TOR)
export const AtorAuthAdd = authAddCommand(ATOR)
