import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { writeJson } from '../output/config-text.ts'
import { wrap } from '../output/layout.ts'
import { countText, ownerText } from '../output/network/words.ts'
import { ask, type Question } from './ask.ts'
import { outputLook } from './terminal.ts'

/** A command that has all nodes of this user do something, and says how each is then. */
export abstract class ActionCommand extends BeamCommand {
  static override flags = JSON_FLAG

  protected abstract readonly question: Question<'status'>
  /** What a node does or did, as the beginning of a sentence. */
  protected abstract readonly said: string

  async run(): Promise<void> {
    const { flags } = await this.parse(ActionCommand)
    const nodes = await ask(this.question)
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, answer }) => ({ ...owner, ...answer })) })
    const { columns } = outputLook()
    for (const { owner, answer } of nodes) {
      const now = answer.running
        ? `${this.said}, with ${countText(answer.peers ?? 0, 'peer')} now`
        : 'no node is up: nothing needed one yet'
      process.stdout.write(`${wrap(`${ownerText(owner)}: ${now}`, columns).join('\n')}\n`)
    }
  }
}
