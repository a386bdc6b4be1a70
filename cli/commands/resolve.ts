import { string } from '@oclif/core/args'
import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { askAnyway } from '../network/ask.ts'
import { writeJson } from '../output/config-text.ts'
import { foreignText } from '../output/foreign-text.ts'

/** `beam resolve NAME`: the address that a name stands for. */
export default class Resolve extends BeamCommand {
  static override summary = 'Show the address that a name on the mesh stands for.'
  static override description = 'As a visit would: whoever claims the name first is remembered, and another never takes its place silently.'
  static override examples = ['<%= config.bin %> resolve myapp.local', '<%= config.bin %> resolve myapp.local --json']
  static override args = { name: string({ description: 'The name, such as myapp.local.', required: true }) }
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Resolve)
    const resolved = await askAnyway({ operation: 'resolve', shape: 'resolved', input: { name: args.name } })
    if (flags.json) return writeJson(resolved)
    for (const { message } of resolved.warnings) process.stderr.write(`Warning: ${foreignText(message)}\n`)
    process.stdout.write(`${resolved.address}\n`)
  }
}
