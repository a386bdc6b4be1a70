import { string } from '@oclif/core/flags'
import { withFriends } from '../../anonet-friends.ts'
import { BeamCommand } from '../../base-command.ts'
import { ENDPOINT_FLAG, JSON_FLAG } from '../../input/flags.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam anonet invite`: a text for a friend. */
export default class AnonetInvite extends BeamCommand {
  static override summary = 'Make an invitation for a friend.'
  static override description =
    'Prints one line, which your friend gives to: beam anonet accept. It names a key of the link, where your machine is reached, your AS number and prefix; it is signed, good for seven days and for one friend. Send it by a way on which nobody can exchange it. Your friend sends you an answer, which you accept.'
  static override examples = [
    '<%= config.bin %> anonet invite --for alice',
    '<%= config.bin %> anonet invite --endpoint 203.0.113.7',
    '<%= config.bin %> anonet invite --json',
  ]
  static override flags = {
    for: string({ description: 'For whom it is, for your own list.', helpValue: 'NAME' }),
    ...ENDPOINT_FLAG,
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(AnonetInvite)
    const input = { ...(flags.for !== undefined && { for: flags.for }), ...(flags.endpoint !== undefined && { endpoints: flags.endpoint }) }
    const answer = await withFriends('invite', input, flags)
    if (flags.json) return writeJson(answer)
    const { letterText } = await import('../../output/anonet-text.ts')
    process.stdout.write(`${String(answer['text'])}\n`)
    process.stderr.write(letterText('invite', answer))
  }
}
