import { string } from '@oclif/core/args'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { ask } from '../../network/ask.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'
import { testPassed, testText } from '../../output/network/test-text.ts'
import { EXIT } from '../../report-error.ts'

/** `beam network test`: asks the peers now. */
export default class NetworkTest extends BeamCommand {
  static override summary = 'Ask all peers now, and say which sources of discovery work and how others see this machine.'
  static override description = 'Exit code 1 when a source of discovery is not reached or no peer answers.'
  static override examples = [
    '<%= config.bin %> network test',
    '<%= config.bin %> network test connectivity',
    '<%= config.bin %> network test --json',
  ]
  static override args = {
    what: string({ description: 'What to test: connectivity, which is all there is.', options: ['connectivity'], default: 'connectivity' }),
  }
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkTest)
    const nodes = await ask({ operation: 'test', shape: 'test' })
    if (!nodes.every(({ answer }) => testPassed(answer))) process.exitCode = EXIT.failed
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, answer }) => ({ ...owner, ...answer })) })
    const { columns, paint } = outputLook()
    process.stdout.write(nodes.map(({ owner, answer }) => testText(answer, owner, columns, paint)).join('\n'))
  }
}
