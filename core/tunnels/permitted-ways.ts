import { generateIdentity, type Identity } from '../identity/identity.ts'
import { planExposure } from './exposure.ts'
import { usesAllAtOnce, type Strategy } from './strategy.ts'
import type { WayTarget } from './way.ts'

/** The ways that a connection may use. */
export interface PermittedWays {
  readonly targets: readonly WayTarget[]
  /** Whether what one network carries may move to another. */
  readonly mayMove: (from: string, to: string) => boolean
  /** What is to be said of those that it may not. */
  readonly notes: readonly string[]
}

/** The ways that may be used, as the exposure policy has it. @throws ConfigError (`BEAM_ERR_EXPOSURE`) */
export function permittedWays(
  ways: readonly WayTarget[],
  { strategy, allowExposure }: { readonly strategy: Strategy; readonly allowExposure: boolean },
): PermittedWays {
  const all = strategy === 'multipath' ? asOneVisitor(ways) : ways
  const plan = planExposure(
    all.map((way) => way.handle),
    { end: 'visitor', atOnce: usesAllAtOnce(strategy), allowExposure },
  )
  return {
    targets: all.filter((way) => plan.chain.includes(way.handle.name)),
    mayMove: plan.mayMove,
    notes: plan.leftOut.map(({ backend, reason }) => `${backend} is not used: ${reason}.`),
  }
}

/**
 * Paths of one stream on one network have to come from one visitor, also the one that takes the place of a path that was lost: those without a
 * key of their own share a throw-away one there.
 */
function asOneVisitor(ways: readonly WayTarget[]): WayTarget[] {
  const keys = new Map<string, Identity>()
  return ways.map((way) => {
    if (way.dial?.identity !== undefined) return way
    const { name } = way.handle
    const identity = keys.get(name) ?? generateIdentity()
    keys.set(name, identity)
    return { ...way, dial: { ...way.dial, identity } }
  })
}
