import { BeamError, isBudget, planTunnel, type TunnelPlan } from '../core/index.ts'
import type { Backends } from './backends.ts'
import type { PlanOptions, PublishOptions } from './beam.ts'

/** What publishing would use, by what the backends declare. Starts nothing. Errors as `Backends.chain`. */
export async function planFor(backends: Backends, options: PlanOptions): Promise<TunnelPlan> {
  const { backends: names, budget = {}, strategy, allowExposure, access, domain } = options
  return planTunnel({
    candidates: await backends.known(names, { all: isBudget(budget) }),
    budget,
    ...(strategy === undefined ? {} : { strategy }),
    ...(allowExposure === undefined ? {} : { allowExposure }),
    ...(access === undefined ? {} : { access }),
    ...(domain === undefined ? {} : { domain }),
  })
}

/**
 * The names of the backends for a tunnel: those that its options name (undefined: the enabled ones), or those that fit its budget.
 * @throws BeamError when none fits, or the choice is refused
 */
export async function chosenNames(
  backends: Backends,
  options: PublishOptions,
  onLeftOut: (backend: string, reason: string) => void,
): Promise<readonly string[] | undefined> {
  if (!isBudget(options.budget ?? {})) return options.backends
  const { chosen, refused, rows } = await planFor(backends, options)
  if (refused !== undefined) {
    const kind = refused.code === 'BEAM_ERR_EXPOSURE' ? 'config' : 'unsupported'
    throw new BeamError(kind, refused.message, { code: refused.code, ...(refused.hint === undefined ? {} : { hint: refused.hint }) })
  }
  for (const { backend, use, reasons } of rows) {
    if (use === 'no' && options.backends?.includes(backend) === true) onLeftOut(backend, reasons.join(', '))
  }
  return chosen
}
