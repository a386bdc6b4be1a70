import { ConfigError, MAX_WEIGHT, STRATEGIES, type Strategy } from '../core/index.ts'

/** Holds what a program chose for a connection against what there is. @throws ConfigError (`BEAM_ERR_USAGE`) */
export function checkChoices({
  strategy,
  weights,
}: {
  readonly strategy: Strategy | undefined
  readonly weights: Readonly<Record<string, number>>
}): void {
  if (strategy !== undefined && !STRATEGIES.includes(strategy)) {
    throw new ConfigError(`There is no strategy ${JSON.stringify(strategy)}.`, { code: 'BEAM_ERR_USAGE', hint: STRATEGIES.join(', ') })
  }
  for (const [name, weight] of Object.entries(weights)) {
    if (Number.isInteger(weight) && weight >= 1 && weight <= MAX_WEIGHT) continue
    throw new ConfigError(`The weight ${weight} of ${name} is not a whole number from 1 to ${MAX_WEIGHT}.`, { code: 'BEAM_ERR_USAGE' })
  }
}
