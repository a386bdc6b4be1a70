import { string as stringArg } from '@oclif/core/args'
import { boolean, string } from '@oclif/core/flags'
import { withFriends } from '../../anonet-friends.ts'
import { BeamCommand } from '../../base-command.ts'
import { ENDPOINT_FLAG, JSON_FLAG } from '../../input/flags.ts'
import { readText } from '../../input/read-text.ts'
import { writeJson } from '../../output/config-text.ts'

/** Longest text that is read: an invitation has some hundred characters, and mail programs add to them. */
const MAX_TEXT_BYTES = 4_096

/** `beam anonet accept`: takes an invitation, or the answer to one. */
export default class AnonetAccept extends BeamCommand {
  static override summary = 'Accept an invitation of a friend, or the answer to one of yours.'
  static override description =
    'For an invitation it prints the answer: one line, to be sent back. The link comes up when both sides have accepted and both run the mesh. What a friend may announce is filtered: his own prefix and, without --own-only, what he carries for his friends; never yours, and never that of another friend of yours.'
  static override examples = [
    '<%= config.bin %> anonet accept anonet-invite-…',
    '<%= config.bin %> anonet accept anonet-answer-… --as bob',
    'pbpaste | <%= config.bin %> anonet accept - --own-only',
  ]
  static override args = {
    text: stringArg({ description: 'The line that your friend sent; - reads it from standard input.', required: true }),
  }
  static override flags = {
    as: string({ description: 'What to call the friend. Default: as he calls himself.', helpValue: 'NAME' }),
    'own-only': boolean({ description: 'He may announce his own prefix only, not what his friends announce.' }),
    ...ENDPOINT_FLAG,
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AnonetAccept)
    const input = {
      text: args.text === '-' ? await readText(process.stdin, MAX_TEXT_BYTES) : args.text,
      ...(flags.as !== undefined && { name: flags.as }),
      ...(flags['own-only'] && { ownOnly: true }),
      ...(flags.endpoint !== undefined && { endpoints: flags.endpoint }),
    }
    const answer = await withFriends('accept', input, flags)
    if (flags.json) return writeJson(answer)
    const { acceptedText, letterText } = await import('../../output/anonet-text.ts')
    process.stderr.write(acceptedText(answer))
    if (answer['answer'] === undefined) return
    process.stdout.write(`${answer['answer'] as string}\n`)
    process.stderr.write(letterText('answer', answer))
  }
}
