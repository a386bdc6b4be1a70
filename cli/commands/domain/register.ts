import { string } from '@oclif/core/args'
import { string as flag } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { registerDomain } from '../../network/domains.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam domain register NAME`: a running tunnel claims a name. */
export default class DomainRegister extends BeamCommand {
  static override summary = 'Have a running tunnel claim a name on the mesh, in place of the one before.'
  static override description =
    'A name is a claim that anybody can make: visitors remember whom they accepted first. It holds while the tunnel runs; to claim it each time: beam 3000 --domain NAME, or domain in beam.config.yaml.'
  static override examples = ['<%= config.bin %> domain register myapp.local', '<%= config.bin %> domain register myapp.local --tunnel web']
  static override args = { name: string({ description: 'The name, such as myapp.local.', required: true }) }
  static override flags = {
    tunnel: flag({ description: 'Name or id of the tunnel, where several run on the mesh.', helpValue: 'TUNNEL' }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(DomainRegister)
    const claim = await registerDomain(args.name, flags.tunnel)
    if (flags.json) return writeJson({ claimed: true, ...claim })
    process.stdout.write(`${claim.domain} now stands for ${claim.tunnel}: ${claim.address}\n`)
    if (claim.before !== undefined) process.stdout.write(`It claims ${claim.before} no more: a tunnel claims one name.\n`)
  }
}
