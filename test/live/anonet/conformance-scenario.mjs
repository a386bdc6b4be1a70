/** The conformance suite on two nodes that are friends. Prints what came out as JSON. Use: node conformance-scenario.mjs BEAM-FOLDER */
import { execFileSync } from 'node:child_process'
import { befriend, newBackend, newPaths, testing } from './backends.mjs'

execFileSync('ip', ['link', 'set', 'lo', 'up'])
// Node opens these two when anybody first looks at them, as stream.pipe() does: the suite would count them as left open.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

/** Two nodes that have just become friends; every backend that is made of one has its folders. */
async function couple(port) {
  const [a, b] = [newPaths(), newPaths()]
  await befriend(newBackend({ listenPort: port }, a), newBackend({ listenPort: port + 1 }, b))
  return { create: () => newBackend({ listenPort: port }, a), pair: () => newBackend({ listenPort: port + 1 }, b) }
}

/** WireGuard in user space is slow, and slower on a busy machine. */
const sizes = { bulkBytes: 1 << 20, parallel: 30, sequential: 20, stalled: 10 }
const common = { name: 'anonet, managed', timeScale: 6, sizes }
const ids = Object.keys(testing.PROMISES)
/** These make nodes of their own while others are there, and a node can be run once at a time. */
const lifecycle = ids.filter((id) => testing.PROMISES[id][0] === 'lifecycle')
const persistent = ['address-persistent']
const rest = ids.filter((id) => !lifecycle.includes(id) && !persistent.includes(id))

/** The first backend is asked for its capabilities and stays; the address is compared between those that follow. */
async function oneApart() {
  const [first, others] = [await couple(51_840), await couple(51_850)]
  let made = 0
  return { create: () => (made++ === 0 ? first : others).create() }
}

const reports = [
  await testing.runConformance({ ...common, ...(await couple(51_820)) }, { only: lifecycle }),
  await testing.runConformance({ ...common, ...(await oneApart()) }, { only: persistent }),
  await testing.runConformance({ ...common, ...(await couple(51_830)), reuse: true }, { only: rest }),
]
process.stdout.write(JSON.stringify(reports.flatMap(({ promises }) => promises).map(({ id, result, reason }) => ({ id, result, reason }))))
process.exit(0)
