import assert from 'node:assert/strict'

/** How a promise came out. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

/** How a call comes out; a synchronous throw counts as a rejection. */
export async function outcome<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await call() }
  } catch (error) {
    return { ok: false, error }
  }
}

/** The reason that the suite gives to its signals: an object of its own, so that nothing else can be taken for it. */
export function newReason(): Error {
  return new Error('the conformance suite ended the attempt')
}

/** Asserts a rejection with exactly this reason: not wrapped, not translated. */
export function assertReason(result: Outcome<unknown>, reason: Error): void {
  assert.equal(result.ok, false, 'it resolved although its signal had fired')
  assert.equal(!result.ok && result.error, reason, 'it rejected with something else than the reason of its signal')
}
