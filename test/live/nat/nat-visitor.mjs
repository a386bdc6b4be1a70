/** The visitor of nat-scenario.mjs: reaches an address on the mesh, again and again, and prints how. Use: node nat-visitor.mjs ADDRESS */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBeam } from 'beam-tunnel'

/** How long is waited until the publisher is found, and until a better way takes the place of the relay. */
const FIND_MS = 20_000
const UPGRADE_MS = 15_000

const [address] = process.argv.slice(2)
const beam = await createBeam()

/** One exchange over a stream of its own; milliseconds until the first byte, and bytes per second. */
async function get(connection, path) {
  const begin = performance.now()
  const response = await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: connection.port, path, agent: false }, resolve)
    asked.once('error', reject).end()
  })
  const firstMs = performance.now() - begin
  let bytes = 0
  for await (const chunk of response) bytes += chunk.length
  return { firstMs, bytes, bytesPerSecond: bytes / ((performance.now() - begin) / 1000) }
}

/** How the service is reached now: a connection of its own asks. */
async function reached() {
  const begin = performance.now()
  const connection = await beam.connect(address)
  return { connection, kind: connection.path.kind, ms: performance.now() - begin }
}

async function firstReached() {
  const deadline = performance.now() + FIND_MS
  for (;;) {
    try {
      return await reached()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(200)
    }
  }
}

const first = await firstReached()
const { firstMs } = await get(first.connection, '/')
const began = performance.now()
let now = first
while (now.kind === 'relayed' && performance.now() - began < UPGRADE_MS) {
  await sleep(250)
  if (now !== first) await now.connection.stop()
  now = await reached()
}
const upgradeMs = performance.now() - began
const after = await get(now.connection, '/')
const bulk = await get(now.connection, '/bulk')
console.log(
  JSON.stringify({
    first: first.kind,
    firstReachMs: Math.round(first.ms),
    firstByteMs: Math.round(firstMs),
    kind: now.kind,
    ...(now.kind === first.kind ? {} : { upgradeMs: Math.round(upgradeMs) }),
    laterByteMs: Math.round(after.firstMs),
    bulkBytes: bulk.bytes,
    bytesPerSecond: Math.round(bulk.bytesPerSecond),
  }),
)
await beam[Symbol.asyncDispose]()
process.exit(0)
