import { string } from '@oclif/core/args'
import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { hasMeetingPlaces, RENDEZVOUS_FLAG, rendezvousEnvironment } from '../input/network-flags/rendezvous.ts'
import { Lifetime } from '../lifetime.ts'
import type { Answers } from '../network/answers.ts'
import { askAnyway } from '../network/ask.ts'
import { openBeam, type BeamFlags } from '../open-beam.ts'
import { writeJson } from '../output/config-text.ts'
import { foreignText } from '../output/foreign-text.ts'

/** `beam resolve NAME`: the address that a name stands for. */
export default class Resolve extends BeamCommand {
  static override summary = 'Show the address that a name stands for, on the mesh or at meeting places behind Tor or I2P.'
  static override description = 'As a visit would: whoever claims the name first is remembered, and another never takes its place silently.'
  static override examples = [
    '<%= config.bin %> resolve myapp.local',
    '<%= config.bin %> resolve myapp.local --json',
    '<%= config.bin %> resolve myapp.local --rendezvous beam-node:…@….onion',
  ]
  static override args = { name: string({ description: 'The name, such as myapp.local.', required: true }) }
  static override flags = { ...RENDEZVOUS_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Resolve)
    const environment = rendezvousEnvironment(flags)
    const resolved = (await hasMeetingPlaces(environment))
      ? await this.#atMeetingPlaces(args.name, { verbose: flags.verbose, environment })
      : await askAnyway({ operation: 'resolve', shape: 'resolved', input: { name: args.name } })
    if (flags.json) return writeJson(resolved)
    for (const { message } of resolved.warnings) process.stderr.write(`Warning: ${foreignText(message)}\n`)
    process.stdout.write([resolved.address, ...(resolved.others ?? [])].map((address) => `${address}\n`).join(''))
  }

  /** Where meeting places behind networks are named, nobody else is asked, also no Beam that runs already. */
  async #atMeetingPlaces(name: string, options: Pick<BeamFlags, 'verbose' | 'environment'>): Promise<Answers['resolved']> {
    using lifetime = new Lifetime()
    await using beam = await openBeam({ ...options, bootstrap: undefined })
    const warnings: Array<{ code: string; message: string }> = []
    const onWarning = (code: string, message: string): void => void warnings.push({ code, message })
    const [address = '', ...others] = await beam.resolve(name, { signal: lifetime.signal, onWarning })
    return { name, address, warnings, ...(others.length === 0 ? {} : { others }) }
  }
}
