import { build, type Histogram } from 'hdr-histogram-js'
import { ending, patternChunks, readExactly, receive, sendAll } from './bytes.ts'
import type { Latency, Measurements } from './measurements.ts'
import { outcome } from './outcome.ts'
import { echo } from './service.ts'
import type { Stage } from './stage.ts'

/** New connections and round trips that are timed: enough for a median, few enough for a mixnet. */
const CONNECTIONS = 20
const ROUND_TRIPS = 100
/** Longest duration that is told apart, in microseconds: five minutes. */
const HIGHEST_MICROSECONDS = 300_000_000

/** Measures latency and throughput between the two backends of a stage. */
export async function measure(stage: Stage): Promise<Measurements> {
  return { latency: await measureLatency(stage), throughput: await measureThroughput(stage) }
}

async function measureLatency(stage: Stage): Promise<Measurements['latency']> {
  const { address } = await stage.tunnel(echo)
  const connect = newHistogram()
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const start = performance.now()
    const stream = await stage.dial(address)
    stream.write('x')
    await readExactly(stream, 1)
    record(connect, start)
    stream.end()
    await ending(stream)
  }
  const roundTrip = newHistogram()
  const stream = await stage.dial(address)
  const message = Buffer.alloc(64, 1)
  for (let count = 0; count < ROUND_TRIPS; count += 1) {
    const start = performance.now()
    stream.write(message)
    await readExactly(stream, message.length)
    record(roundTrip, start)
  }
  return { connect: summary(connect), roundTrip: summary(roundTrip) }
}

async function measureThroughput(stage: Stage): Promise<Measurements['throughput']> {
  const { bulkBytes } = stage.sizes
  // The first byte says which way the bytes go: 'd' down to the visitor, 'u' up to the service, which then tells that it has them all.
  const { address } = await stage.tunnel(async (socket) => {
    const direction = (await readExactly(socket, 1)).toString()
    if (direction === 'd') await outcome(() => sendAll(socket, patternChunks(bulkBytes), { end: true }))
    else {
      // Counted, not ended: networks without half-close could not tell otherwise.
      await readExactly(socket, bulkBytes)
      socket.end('k')
    }
  })
  const down = await stage.dial(address)
  const downStart = performance.now()
  down.write('d')
  await receive(down)
  const downloadBytesPerSecond = perSecond(bulkBytes, downStart)
  down.end()

  const up = await stage.dial(address)
  const upStart = performance.now()
  up.write('u')
  await sendAll(up, patternChunks(bulkBytes))
  await readExactly(up, 1)
  return { downloadBytesPerSecond, uploadBytesPerSecond: perSecond(bulkBytes, upStart) }
}

function perSecond(bytes: number, start: number): number {
  return Math.round(bytes / ((performance.now() - start) / 1_000))
}

function newHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: HIGHEST_MICROSECONDS, numberOfSignificantValueDigits: 3 })
}

function record(histogram: Histogram, start: number): void {
  histogram.recordValue(Math.min(HIGHEST_MICROSECONDS, Math.round((performance.now() - start) * 1_000)))
}

function summary(histogram: Histogram): Latency {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1_000
  return {
    count: histogram.totalCount,
    minMs: at(0),
    p50Ms: at(50),
    p90Ms: at(90),
    p99Ms: at(99),
    maxMs: at(100),
  }
}
