/** `npm run soak`: traffic over several networks that fail at random, for a while; then nothing of it may be left. Exit code 1: something is. */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Faults } from '../../core/testing/index.ts'
import { seededRandom } from '../../core/testing/index.ts'
import { describeResources, resources, type Resources } from './resources.ts'
import { Stage } from './stage.ts'
import { request, Traffic } from './traffic.ts'

/** `--pace 3`: everything happens three times as often. `--only multipath`: only the traffic whose name begins so. */
const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, pace: { type: 'string' }, only: { type: 'string', default: '' } },
})
const seconds = Math.min(Number(values.seconds ?? process.env['BEAM_SOAK_SECONDS'] ?? 600), 24 * 3600)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const pace = Number(values.pace ?? 1)

/** One way is left alone for so long; another one then, after a pause in which all are mended and can come back. */
const EPOCH_MS = 12_000 / pace
const PAUSE_MS = 4_000 / pace
/** Caches fill and code is compiled in that time; what is held after it is compared with what is held at the end. */
const WARM_UP_MS = Math.min(60_000, seconds * 250)
/** How often it is said how it goes. */
const TELL_MS = 60_000
/** What may be more at the end than after the warm-up: the heap breathes by some MiB, and pools of connections by a few descriptors. */
const GROWTH = { heapMib: 10, buffersMib: 16, descriptors: 12 } as const

const FAULTS: readonly Faults[] = [
  { down: true },
  { silent: true },
  { drop: 0.5 },
  { delayMs: [5, 80] },
  { resetAfterBytes: 100_000 },
  { bytesPerSecond: 200_000 },
]

const random = seededRandom(seed)
const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
const print = (text: string): void => console.log(text)
const problems: string[] = []
let faults = 0
let restarts = 0

/** One of the ways that work: it is left alone. */
async function safeWay(stage: Stage): Promise<'red' | 'green' | 'mesh'> {
  let working = stage.working()
  for (; working.length === 0; working = stage.working()) await delay(100)
  return pick(working)
}

/** Faults on all ways but one, until the pause at the end of the epoch. */
async function epoch(stage: Stage, safe: 'red' | 'green' | 'mesh', untilMs: number): Promise<void> {
  const before = { ...stage.lost }
  while (performance.now() < untilMs - PAUSE_MS) {
    for (const network of stage.networks) {
      if (network.name === safe || random() < 0.3) continue
      faults += 1
      if (random() < 0.6) network.harm(pick(FAULTS))
      else network.mend()
    }
    if (safe !== 'mesh' && random() < 0.5) {
      faults += 1
      await Promise.resolve(pick<() => unknown>([() => stage.killMesh(), () => stage.silenceMesh(), () => stage.mendMesh()])())
    }
    await delay((200 + random() * 1_300) / pace)
  }
  for (const network of stage.networks) network.mend()
  if (safe !== 'mesh') await stage.mendMesh()
  await delay(Math.max(0, untilMs - performance.now()))
  if (stage.lost.multipath > before.multipath) problems.push(`a multipath visitor found no way although ${safe} was left alone`)
  if (safe !== 'mesh' && stage.lost.balanced > before.balanced)
    problems.push(`a load-balance visitor found no way although ${safe} was left alone`)
}

/** Every way, tried until it works, for at most half a minute. */
async function works(name: string, port: number): Promise<void> {
  let reason = ''
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await delay(500)) {
    try {
      await request(port, 10_000)
      return
    } catch (error) {
      reason = (error as Error).message
    }
  }
  problems.push(`${name} does not work again after everything was mended: ${reason}`)
}

/** Loads whatever is loaded when it is first used, and starts what belongs to the loader: none of it is a leak. */
async function rehearse(): Promise<void> {
  await using stage = new Stage()
  await stage.open()
}

async function soak(): Promise<void> {
  await using stage = new Stage()
  const ports = await stage.open()
  const small = (): number => Math.floor(random() * 20_000)
  const large = (): number => Math.floor(random() * 1_500_000)
  const wishes = [
    { name: 'fallback', port: ports.fallback, everyMs: 250, bytes: small },
    { name: 'load-balance', port: ports.balanced, everyMs: 250, bytes: small },
    { name: 'multipath', port: ports.multipath, everyMs: 400, bytes: large },
    { name: 'restarted publisher', port: ports.restarted, everyMs: 500, bytes: small },
  ]
  const traffic = wishes
    .filter(({ name }) => name.startsWith(values.only))
    .map(({ everyMs, ...one }) => new Traffic({ ...one, everyMs: everyMs / pace }))
  const begin = performance.now()
  const sinceMs = (): number => performance.now() - begin
  let warm: Resources | undefined
  let told = 0
  while (sinceMs() < seconds * 1_000) {
    const restart = stage.restart().then(() => (restarts += 1))
    await epoch(stage, await safeWay(stage), performance.now() + EPOCH_MS)
    await restart
    if (warm === undefined && sinceMs() >= WARM_UP_MS) warm = await resources()
    if (sinceMs() - told < TELL_MS) continue
    told = sinceMs()
    print(`${Math.round(told / 1_000)} s: ${describeResources(await resources())}`)
  }
  print(`${Math.round(sinceMs() / 1_000)} s: no more faults`)
  for (const one of traffic) await one.stop()
  for (const one of traffic) print(String(one))
  await Promise.all(Object.entries(ports).map(([name, port]) => works(name, port)))
  await delay(3_000)
  const end = await resources()
  print(`${faults} faults, ${restarts} publishers killed and started`)
  print(`after the warm-up: ${warm === undefined ? 'not measured' : describeResources(warm)}`)
  print(`at the end:        ${describeResources(end)}`)
  const joined = traffic.find(({ name }) => name === 'multipath')
  if (joined !== undefined && joined.failed > 0)
    problems.push(`multipath loses nothing as long as one path is left, but: ${String(joined)}`)
  for (const [what, allowed] of Object.entries(GROWTH) as Array<[keyof typeof GROWTH, number]>) {
    const grown = warm === undefined ? 0 : end[what] - warm[what]
    if (grown > allowed) problems.push(`${what} grew by ${grown.toFixed(1)}, more than ${allowed}`)
  }
}

print(`${seconds} s with seed ${seed}`)
await rehearse()
const before = await resources()
await soak()
await delay(1_000)
const after = await resources()
print(`before:            ${describeResources(before)}`)
print(`afterwards:        ${describeResources(after)}`)
for (const [kind, count] of Object.entries(after.active)) {
  const more = count - (before.active[kind] ?? 0)
  if (more > 0) problems.push(`left: ${more} of ${kind}`)
}
if (after.descriptors > before.descriptors) problems.push(`left: ${after.descriptors - before.descriptors} descriptors`)
if (after.children.length > before.children.length) problems.push(`left: processes ${after.children.join(', ')}`)
for (const problem of problems) print(`PROBLEM: ${problem}`)
if (problems.length === 0) print('nothing was left, nothing grew')
process.exitCode = problems.length === 0 ? 0 : 1
