/** What publishing would use, and why: the same rules that publishing follows, applied to what backends declare. Pure, no I/O. */
import type { AccessPolicy } from '../backend.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import { isBeamError, UnsupportedError } from '../errors.ts'
import { designLatency, isBudget, misfits, type DesignLatency, type PrivacyBudget } from './choose.ts'
import { planExposure, revealedBy } from './exposure.ts'
import { usesAllAtOnce, type Strategy } from './strategy.ts'
import { accessSentence, suitable } from './suitable.ts'

/** A backend that may be used; `problem` says why it cannot, or that nothing is known of it before it runs. */
export interface PlanCandidate {
  readonly name: string
  readonly capabilities?: BackendCapabilities
  readonly problem?: string
}

/** What is to be published. */
export interface PlanSetup {
  /** By preference. */
  readonly candidates: readonly PlanCandidate[]
  readonly strategy?: Strategy
  readonly budget?: PrivacyBudget
  readonly allowExposure?: boolean
  readonly access?: AccessPolicy
  readonly domain?: string
}

/** `first`: started at once; `standby`: when those above it fail; `at-once`: beside the others; `no`: not used. */
export type PlanUse = 'first' | 'standby' | 'at-once' | 'no'

/** What a plan says of one backend. */
export interface PlanRow {
  readonly backend: string
  readonly use: PlanUse
  readonly reasons: readonly string[]
  readonly capabilities?: BackendCapabilities
  readonly latency?: DesignLatency
}

/** What would be done. */
export interface TunnelPlan {
  readonly strategy: Strategy
  /** Those that are used, in order. */
  readonly chosen: readonly string[]
  readonly rows: readonly PlanRow[]
  /** What holders of the address can learn, in sentences. */
  readonly reveals: readonly string[]
  readonly access: string
  /** What would be said before the start. */
  readonly warnings: readonly string[]
  /** Why publishing would be refused. */
  readonly refused?: { readonly code: string; readonly message: string; readonly hint?: string }
}

interface Known {
  readonly name: string
  readonly capabilities: BackendCapabilities
}

interface Rules {
  readonly atOnce: boolean
  readonly allowExposure: boolean
  readonly access: AccessPolicy | undefined
  readonly domain: string | undefined
}

/** Plans a tunnel. What publishing would refuse is told in the plan, not thrown. */
export function planTunnel({
  candidates,
  strategy = 'priority',
  budget = {},
  allowExposure = false,
  access,
  domain,
}: PlanSetup): TunnelPlan {
  const no = new Map<string, readonly string[]>()
  const fitting = candidates.filter((candidate): candidate is Known => {
    const reasons =
      candidate.capabilities === undefined ? [candidate.problem ?? 'nothing is known of it'] : unfit(candidate.capabilities, budget)
    if (reasons.length > 0) no.set(candidate.name, reasons)
    return reasons.length === 0
  })
  const atOnce = usesAllAtOnce(strategy)
  const { chain, warnings, refused } = chainOf(fitting, { atOnce, allowExposure, access, domain }, no)
  const rows = candidates.map((candidate) => row(candidate, chain, strategy, no, budget))
  return {
    strategy,
    chosen: chain.map(({ name }) => name),
    rows,
    reveals: chain.flatMap((one) => revealedBy('publisher', one).map((sentence) => `${one.name}: ${sentence}`)),
    access: accessSentence(access),
    warnings,
    ...(refused === undefined ? {} : { refused }),
  }
}

function unfit(capabilities: BackendCapabilities, budget: PrivacyBudget): readonly string[] {
  const sites = capabilities.delivery === 'site' ? ['it publishes copies of sites, no live service'] : []
  return [...sites, ...misfits(capabilities, budget)]
}

/** The chain as publishing would make it; notes in `no` why some are left out. */
function chainOf(
  fitting: readonly Known[],
  { atOnce, allowExposure, ...wishes }: Rules,
  no: Map<string, readonly string[]>,
): { readonly chain: readonly Known[]; readonly warnings: readonly string[]; readonly refused?: TunnelPlan['refused'] } {
  try {
    if (fitting.length === 0 && no.size > 0) throw nobodyFits(no)
    const { able, notes } = suitable({ chain: fitting, ...wishes })
    for (const { name } of fitting) {
      if (!able.some((one) => one.name === name)) no.set(name, ['it cannot restrict who connects'])
    }
    const plan = planExposure(able, { end: 'publisher', atOnce, allowExposure })
    for (const { backend, reason } of plan.leftOut) no.set(backend, [reason])
    return { chain: able.filter(({ name }) => plan.chain.includes(name)), warnings: notes.map(({ message }) => message) }
  } catch (error) {
    if (!isBeamError(error)) throw error
    const { code, message, hint } = error
    for (const { name } of fitting) no.set(name, ['publishing is refused, see below'])
    return { chain: [], warnings: [], refused: { code, message, ...(hint === undefined ? {} : { hint }) } }
  }
}

function row(
  { name, capabilities }: PlanCandidate,
  chain: readonly Known[],
  strategy: Strategy,
  no: ReadonlyMap<string, readonly string[]>,
  budget: PrivacyBudget,
): PlanRow {
  const at = chain.findIndex((one) => one.name === name)
  const use = at < 0 ? 'no' : usesAllAtOnce(strategy) ? 'at-once' : at === 0 ? 'first' : 'standby'
  const latency = capabilities === undefined ? undefined : designLatency(capabilities)
  const fits = isBudget(budget) ? ['it fits the budget'] : []
  return {
    backend: name,
    use,
    reasons: use === 'no' ? (no.get(name) ?? []) : [whyUsed(use, strategy, chain[at - 1]?.name), ...fits],
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(latency === undefined ? {} : { latency }),
  }
}

function whyUsed(use: Exclude<PlanUse, 'no'>, strategy: Strategy, above = ''): string {
  if (use === 'at-once') return 'used beside the others'
  if (use === 'first') return 'first in the order of preference'
  return strategy === 'fallback' ? `used while ${above} is out of order` : `used when ${above} cannot be started`
}

function nobodyFits(no: ReadonlyMap<string, readonly string[]>): UnsupportedError {
  const reasons = [...no].map(([name, why]) => `${name}: ${why.join(', ')}`)
  return new UnsupportedError(`No backend offers what is asked for. ${reasons.join('; ')}.`, {
    hint: 'Ask for less, or see what there is: beam backend list',
  })
}
