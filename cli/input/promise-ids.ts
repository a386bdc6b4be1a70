import { nearest } from '../../config/nearest.ts'
import { ConfigError } from '../../core/errors.ts'
import { PROMISE_IDS, type PromiseId } from '../../core/testing/index.ts'

/**
 * Promises as they are typed: `echo,half-close`.
 * @throws ConfigError naming the first that does not exist
 */
export function promiseIds(text: string): PromiseId[] {
  return text.split(',').map((word) => {
    const id = PROMISE_IDS.find((known) => known === word.trim())
    if (id !== undefined) return id
    const wanted = nearest(word.trim(), PROMISE_IDS)
    throw new ConfigError(`There is no promise “${word.trim()}”.`, {
      code: 'BEAM_ERR_USAGE',
      hint: wanted === undefined ? 'docs/conformance.md lists them.' : `Did you mean ${wanted}?`,
    })
  })
}
