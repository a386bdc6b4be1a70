import { string } from '@oclif/core/flags'
import type { TunnelPlan } from '../../core/tunnels/plan.ts'
import type { Beam, PlanOptions } from '../../plugins/beam.ts'
import { BeamCommand } from '../base-command.ts'
import { parseBudget } from '../input/budget.ts'
import { CHOICE_FLAGS, typedNetworks } from '../input/choice-flags.ts'
import { CONFIG_FLAG, JSON_FLAG } from '../input/flags.ts'
import { namedBackends, strategyOf } from '../input/publish-options.ts'
import { parseServiceTarget } from '../input/service-target.ts'
import type { BeamFlags } from '../open-beam.ts'
import { writeJson } from '../output/config-text.ts'
import { EXIT } from '../report-error.ts'

/** `beam plan 3000`: what publishing would use, and why. */
export default class Plan extends BeamCommand {
  static override summary = 'Show which networks publishing would use, and why, without starting anything.'
  static override description =
    'Takes the flags of beam expose that choose networks, reads the configuration, and applies the same rules to what each network declares of itself. Nothing is started, no network is asked, nothing is measured. The exit code is 1 when publishing would be refused.'
  static override strict = false
  static override usage = 'plan PORT|HOST:PORT ... [FLAGS]'
  static override examples = [
    '<%= config.bin %> plan 3000',
    '<%= config.bin %> plan 3000 --backends tor,mesh --fallback',
    '<%= config.bin %> plan 3000 --anonymity medium --budget latency=2s --json',
  ]
  static override flags = {
    ...CHOICE_FLAGS,
    domain: string({ description: 'The domain that would be claimed.', helpGroup: 'SERVICE', helpValue: 'DOMAIN' }),
    allow: string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'The visitor keys that would be let in.',
      helpGroup: 'ACCESS',
      helpValue: 'KEY',
    }),
    ...CONFIG_FLAG,
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Plan)
    for (const word of argv) parseServiceTarget(String(word))
    const switches = flags as unknown as Readonly<Record<string, unknown>>
    const backends = namedBackends({ backends: flags.backends, networks: typedNetworks(switches, this.argv) })
    const plan = await planOf(flags, {
      ...(backends.length === 0 ? {} : { backends }),
      ...strategyOf({ strategy: flags.strategy, fallback: flags.fallback }),
      budget: parseBudget(flags.budget, flags.anonymity),
      allowExposure: flags['allow-exposure'],
      ...(flags.domain === undefined ? {} : { domain: flags.domain }),
      ...(flags.allow === undefined ? {} : { access: { allow: flags.allow } }),
    })
    if (plan.refused !== undefined) process.exitCode = EXIT.failed
    const [{ planView }, { planText }, { columnsOf }, { colours }] = await Promise.all([
      import('../output/plan-view.ts'),
      import('../output/plan-text.ts'),
      import('../output/layout.ts'),
      import('../output/colours.ts'),
    ])
    if (flags.json) writeJson(planView(plan))
    else process.stdout.write(planText(plan, columnsOf(process.stdout), colours(process.stdout)))
  }
}

async function planOf(flags: BeamFlags, options: PlanOptions): Promise<TunnelPlan> {
  await using beam = await open(flags)
  return await beam.plan(options)
}

async function open(flags: BeamFlags): Promise<Beam> {
  const { openBeam } = await import('../open-beam.ts')
  return openBeam(flags)
}
