import { withFriends } from '../../anonet-friends.ts'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam anonet friends`: who is a friend, and who was invited. */
export default class AnonetFriends extends BeamCommand {
  static override summary = 'List friends and open invitations.'
  static override description = 'Shows what is stored; whether they are connected says: beam anonet status.'
  static override examples = ['<%= config.bin %> anonet friends', '<%= config.bin %> anonet friends --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(AnonetFriends)
    const answer = await withFriends('friends', {}, flags)
    if (flags.json) return writeJson(answer)
    const [{ friendsText }, { columnsOf }, { colours }] = await Promise.all([
      import('../../output/anonet-text.ts'),
      import('../../output/layout.ts'),
      import('../../output/colours.ts'),
    ])
    process.stdout.write(friendsText(answer, columnsOf(process.stdout), colours(process.stdout)))
  }
}
