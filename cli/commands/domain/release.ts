import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { forgetName, releaseDomain } from '../../network/domains.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam domain release NAME`: a claim is given up. */
export default class DomainRelease extends BeamCommand {
  static override summary = 'Give up the claim of your tunnels to a name, or, with --accepted, forget whom your visits accepted for it.'
  static override examples = ['<%= config.bin %> domain release myapp.local', '<%= config.bin %> domain release myapp.local --accepted']
  static override args = { name: string({ description: 'The name, such as myapp.local.', required: true }) }
  static override flags = {
    accepted: boolean({ description: 'Forget the accepted address: the next visit accepts whoever claims the name then.' }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(DomainRelease)
    if (flags.accepted) {
      await forgetName(args.name)
      if (flags.json) return writeJson({ domain: args.name, forgotten: true })
      return void process.stdout.write(
        `Whoever claims ${args.name} at your next visit is accepted. Compare the address with the publisher’s.\n`,
      )
    }
    await releaseDomain(args.name)
    if (flags.json) return writeJson({ domain: args.name, released: true })
    process.stdout.write(`No tunnel of yours claims ${args.name} any more.\n`)
  }
}
