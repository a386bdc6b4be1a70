/** Some of the items, all equally likely, in random order (Fisher and Yates, as far as is needed). `random` gives numbers from 0 to below 1. */
export function sample<T>(items: readonly T[], count: number, random: () => number): T[] {
  const pool = [...items]
  const taken = Math.min(count, pool.length)
  for (let index = 0; index < taken; index++) {
    const other = index + Math.floor(random() * (pool.length - index))
    ;[pool[index], pool[other]] = [pool[other] as T, pool[index] as T]
  }
  return pool.slice(0, taken)
}
