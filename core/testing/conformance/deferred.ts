/** A promise that is settled from outside. A rejection that nobody waits for any more is not an unhandled one. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T | PromiseLike<T>) => void
}

/** Makes a {@link Deferred}. */
export function deferred<T>(): Deferred<Awaited<T>> {
  let resolve: (value: Awaited<T> | PromiseLike<Awaited<T>>) => void = () => {}
  const promise = new Promise<Awaited<T>>((done) => (resolve = done))
  promise.catch(() => {})
  return { promise, resolve }
}
