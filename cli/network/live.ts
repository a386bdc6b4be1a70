import { sleep } from '../../core/clock.ts'
import { isBeamError } from '../../core/errors.ts'
import type { Lifetime } from '../lifetime.ts'
import { snapshots } from './ask.ts'
import type { Look } from './changes.ts'

/**
 * Looks at the nodes again and again until the command is to end. When the last process that uses the mesh has ended, the looks are empty, and
 * go on: it may come again.
 * @throws the error of the first look: nobody uses the mesh
 */
export async function* looks(lifetime: Lifetime, everyMs: number, options: { readonly addresses?: boolean } = {}): AsyncGenerator<Look> {
  for (let first = true; !lifetime.signal.aborted; first = false) {
    const began = performance.now()
    const nodes = await snapshots(options).catch((error: unknown) => {
      if (first || !isBeamError(error) || error.code !== 'BEAM_ERR_BACKEND_IDLE') throw error
      return []
    })
    yield { at: Date.now(), nodes }
    // A look that takes long is no reason to look more often.
    const rest = Math.max(everyMs / 2, everyMs - (performance.now() - began))
    await sleep(rest, { signal: lifetime.signal }).catch(() => {})
  }
}
