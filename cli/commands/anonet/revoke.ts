import { string as stringArg } from '@oclif/core/args'
import { withFriends } from '../../anonet-friends.ts'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam anonet revoke`: ends a friendship. */
export default class AnonetRevoke extends BeamCommand {
  static override summary = 'End a friendship, or withdraw an invitation.'
  static override description =
    'Forgets the keys of the link. A mesh that runs ends the session within two seconds; the friend stays reachable over others, if they carry for him.'
  static override examples = ['<%= config.bin %> anonet revoke bob', '<%= config.bin %> anonet revoke 4d468d3e --json']
  static override args = { friend: stringArg({ description: 'Name or id of the friend, or of the invitation.', required: true }) }
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AnonetRevoke)
    const answer = await withFriends('revoke', { friend: args.friend }, flags)
    if (flags.json) return writeJson(answer)
    const { revokedText } = await import('../../output/anonet-text.ts')
    process.stdout.write(revokedText(answer))
  }
}
