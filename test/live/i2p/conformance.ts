import { afterAll, describe, inject, it } from 'vitest'
import { testBackend, type Runner, type TestContext } from '../../../core/testing/index.ts'
import { newBackend, newHome, type Home } from './home.ts'

/** Cases that watch the whole process, or fill the routers: one after the other, in a file of their own. */
const ALONE =
  /^(no-direct-connection|no-dns-lookup|bytes-|parallel-streams|stalled-readers|resets-in-a-row|sequential|latency|constructor|capabilities-no-io|dispose-leaves|start-failure)/

const NO_HALF_CLOSE = 'I2P has no half-close: the end of one direction tears the whole stream down'
const NO_RESET = 'the router turns a reset into a proper end, so the far end cannot tell them apart'
const NO_BACKPRESSURE = 'i2pd takes what the one end sends whether or not the other reads, and keeps it in memory'

/**
 * The conformance suite against real routers, in two parts that run beside each other: publishing takes 5 to 15 s each time, and most cases
 * can wait together.
 */
export function testI2p(part: 'alone' | 'together'): void {
  const [serving, visiting] = inject('i2p').places
  const homes = new Map<'serving' | 'visiting', Home>()
  const homeOf = async (end: 'serving' | 'visiting'): Promise<Home> => {
    const home = homes.get(end) ?? (await newHome())
    homes.set(end, home)
    return home
  }
  afterAll(async () => {
    for (const home of homes.values()) await home[Symbol.asyncDispose]()
  })
  const run: Runner = {
    describe,
    it(name, body, timeoutMs) {
      const test = (context: unknown): Promise<void> => body(context as TestContext)
      if (ALONE.test(name) && part === 'alone') it(`i2p, ${name}`, test, timeoutMs)
      if (!ALONE.test(name) && part === 'together') it.concurrent(`i2p, ${name}`, test, timeoutMs)
    },
  }
  testBackend(run, {
    name: 'i2p',
    create: async () => newBackend(await homeOf('serving'), serving?.samPort),
    pair: async () => newBackend(await homeOf('visiting'), visiting?.samPort),
    timeScale: 8,
    reuse: true,
    sizes: { bulkBytes: 1024 * 1024, parallel: 30, sequential: 8, resets: 60, stalled: 5 },
    cannot: {
      'half-close-visitor': NO_HALF_CLOSE,
      'half-close-service': NO_HALF_CLOSE,
      'half-close-untouched': NO_HALF_CLOSE,
      'reset-from-service': NO_RESET,
      'reset-from-visitor': NO_RESET,
      'backpressure-to-visitor': NO_BACKPRESSURE,
      'backpressure-to-service': NO_BACKPRESSURE,
    },
    onMeasured: ({ latency, throughput }) => process.stdout.write(`i2p: ${JSON.stringify({ latency, throughput })}\n`),
  })
}
