import type { Clock } from '../../core/index.ts'
import { ANNOUNCE_WAIT_MS } from './constants.ts'

/** A promise that is settled from outside, or by itself after a while. */
export function firstAnswer(clock: Clock): { readonly promise: Promise<void>; readonly settle: () => void } {
  let settle = (): void => {}
  const promise = new Promise<void>((resolve) => {
    const cancel = clock.after(ANNOUNCE_WAIT_MS, resolve)
    settle = () => {
      cancel()
      resolve()
    }
  })
  return { promise, settle: () => settle() }
}
