import type { Endpoint } from '../backend.ts'
import { isRecordKeeper, type ListedEndpoint } from '../powers.ts'
import { ConfigError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { MAX_WEIGHT } from '../records/record.ts'
import type { Carried } from './carried.ts'
import type { ExposurePlan } from './exposure.ts'

/** One leg of a tunnel, as far as records are concerned. */
export interface Announcing {
  readonly name: string
  readonly carried: Pick<Carried, 'backend' | 'id'> | undefined
  endpoints(): readonly Endpoint[]
}

/** What does not depend on the legs. */
export interface AnnouncerSetup {
  /** Weights of the backends, by name. */
  readonly weights: Readonly<Record<string, number>>
  /** What visitors may count on: `multipath`. */
  readonly capabilities: readonly string[]
  readonly logger: Logger
}

/**
 * Keeps the records of a tunnel complete: where a backend publishes records, they list the addresses on the other networks too, as far as
 * the exposure policy lets them stand side by side.
 */
export class Announcer {
  readonly #setup: AnnouncerSetup
  /** What each carried tunnel was told last. */
  readonly #told = new WeakMap<object, string>()

  constructor(setup: AnnouncerSetup) {
    this.#setup = setup
  }

  /** Tells the record keepers what is new; does nothing when nothing is. */
  update(legs: readonly Announcing[], exposure: Pick<ExposurePlan, 'mayList'>): void {
    for (const { name, carried } of legs) {
      if (carried === undefined || !isRecordKeeper(carried.backend)) continue
      const description = {
        endpoints: this.#listed(legs.filter((leg) => leg.name !== name && exposure.mayList(name, leg.name))),
        weight: this.#weight(name),
        capabilities: this.#setup.capabilities,
      }
      const text = JSON.stringify(description)
      if (this.#told.get(carried) === text) continue
      this.#told.set(carried, text)
      try {
        carried.backend.describeTunnel(carried.id, description)
      } catch (error) {
        this.#setup.logger.warn('a record could not be changed', { backend: name, reason: (error as Error).message })
      }
    }
  }

  /** The addresses that can be used now, best network first. */
  #listed(legs: readonly Announcing[]): readonly ListedEndpoint[] {
    return legs.flatMap((leg) =>
      leg
        .endpoints()
        .filter(({ state }) => state === 'active')
        .map(({ address }) => ({ address, weight: this.#weight(leg.name) })),
    )
  }

  #weight(backend: string): number {
    return this.#setup.weights[backend] ?? 1
  }
}

/** @throws ConfigError when a weight is none, or is that of a backend that the tunnel does not use. */
export function assertWeights(weights: Readonly<Record<string, number>>, chain: ReadonlyArray<{ readonly name: string }>): void {
  for (const [backend, weight] of Object.entries(weights)) {
    if (!chain.some(({ name }) => name === backend))
      throw new ConfigError(`There is a weight for ${backend}, which the tunnel does not use.`)
    if (!Number.isInteger(weight) || weight < 1 || weight > MAX_WEIGHT) {
      throw new ConfigError(`The weight of ${backend} is ${weight}; it may be a whole number from 1 to ${MAX_WEIGHT}.`)
    }
  }
}
