import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { openBeam } from '../open-beam.ts'

/** `beam key show`: one's own visitor key. */
export default class KeyShow extends BeamCommand {
  static override summary = 'Print your visitor key, for a publisher to allow.'
  static override description =
    'The publisher gives it to --allow, and you connect with --identify. The key is made on first use and stays the same; its private part never leaves this machine.'
  static override examples = [
    '<%= config.bin %> key show',
    '<%= config.bin %> 3000 --allow "$(<%= config.bin %> key show)"',
    '<%= config.bin %> key show --json',
  ]
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(KeyShow)
    await using beam = await openBeam({ verbose: flags.verbose, json: flags.json })
    const key = await beam.visitorKey()
    process.stdout.write(flags.json ? `${JSON.stringify({ visitorKey: key })}\n` : `${key}\n`)
  }
}
