import { afterAll, describe, inject, it } from 'vitest'
import { testBackend, type Runner, type TestContext } from '../../../core/testing/index.ts'
import { newBackend, newHome, type Home } from './home.ts'

const [serving, visiting] = inject('i2p').places
const homes: Home[] = []

/** Publishing takes some seconds each time, so cases run beside each other; but not those that watch the whole process, or hog the routers. */
const ALONE =
  /^(no-direct-connection|no-dns-lookup|bytes-|parallel-streams|stalled-readers|resets-in-a-row|sequential|latency|constructor|capabilities-no-io|dispose-leaves|start-failure)/

const run: Runner = {
  describe,
  it: (name, body, timeoutMs) =>
    ALONE.test(name)
      ? it(name, (context) => body(context as TestContext), timeoutMs)
      : it.concurrent(name, (context) => body(context as TestContext), timeoutMs),
}

async function backendAt(port: number | undefined): Promise<ReturnType<typeof newBackend>> {
  const home = await newHome()
  homes.push(home)
  return newBackend(home, port)
}

afterAll(async () => {
  for (const home of homes) await home[Symbol.asyncDispose]()
})

const NO_HALF_CLOSE = 'I2P has no half-close: an end of one direction tears the whole stream down (i2pd: SAMSocket::Terminate)'
const NO_RESET = 'the router turns a reset into a proper end, so the far end cannot tell them apart'
const NO_BACKPRESSURE = 'i2pd reads from the one end whether or not the other takes anything, and keeps it in memory'

testBackend(run, {
  name: 'i2p',
  create: () => backendAt(serving?.samPort),
  pair: () => backendAt(visiting?.samPort),
  timeScale: 8,
  reuse: true,
  sizes: { bulkBytes: 1024 * 1024, parallel: 30, sequential: 12, resets: 60, stalled: 5 },
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
