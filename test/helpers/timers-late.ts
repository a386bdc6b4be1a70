/** How often a timer is looked at. */
const STEP_MS = 20

/** Watches how late timers of this process are: what a busy machine costs everybody, and no fault of what is tested. */
export function timersLate(): { readonly worstMs: () => number; stop(): void } {
  let worst = 0
  let due = performance.now() + STEP_MS
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - due)
    due = performance.now() + STEP_MS
  }, STEP_MS)
  return { worstMs: () => Math.max(worst, performance.now() - due), stop: () => clearInterval(timer) }
}
