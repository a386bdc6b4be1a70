import { median } from '../../../plugins/benchmark/statistics.ts'
import { download, firstByte } from '../onion/load.ts'
import type { Way } from './ways.ts'

/** Connections one after the other for the time to first byte. */
const CONNECTIONS = 20
/** Small downloads at once. */
const STREAMS = 20
const STREAM_BYTES = 64 << 10

/** What one way gave in one round. MiB = 2^20 bytes. */
export interface I2pValues {
  /** From the dial to the first echoed byte, median of the connections, in milliseconds. */
  readonly ttfb: number
  /** One download, in MiB/s. */
  readonly down: number
  /** Small downloads at once, in milliseconds. */
  readonly streams: number
}

/** Measures one way once. */
export async function measureOnce({ dial }: Way, { downloadBytes }: { readonly downloadBytes: number }): Promise<I2pValues> {
  const times: number[] = []
  for (let count = 0; count < CONNECTIONS; count++) times.push(await firstByte(dial))
  const ms = await download(dial, downloadBytes)
  const begin = performance.now()
  await Promise.all(Array.from({ length: STREAMS }, () => download(dial, STREAM_BYTES)))
  return { ttfb: median(times), down: downloadBytes / 2 ** 20 / (ms / 1000), streams: performance.now() - begin }
}
