import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Children } from './children.ts'
import type { Measurement } from './figures.ts'
import { LoadProcess, startOrigin, startScript } from './load/load-process.ts'
import type { Result } from './load/protocol.ts'
import { Meter, type Measured } from './measure.ts'
import type { Options } from './options.ts'
import { startUp } from './peers/beam.ts'
import type { Peer, RunningPeer } from './peers/peer.ts'

/** One measurement of one peer in one round, as the JSON file keeps it. */
export interface Sample {
  readonly round: number
  readonly peer: string
  readonly measurement: Measurement | 'start' | 'check' | 'warm-up'
  readonly values: Readonly<Record<string, number>>
  readonly raw: Result
  readonly error?: string
}

/** A peer of this run; `script` runs its `beam`. */
export interface Participant {
  readonly peer: Peer
  readonly script?: string
}

/** What the rounds need. */
export interface Run {
  readonly options: Options
  readonly participants: readonly Participant[]
  /** A folder of this run. */
  readonly folder: string
  readonly signal: AbortSignal
  report(line: string): void
}

/**
 * Interleaved rounds: each starts every peer anew and measures one figure of all of them after the other, beginning with another peer
 * each time, so that what the machine does besides weighs on all alike. A failure is a sample too, and the others go on.
 */
export async function measureRounds(run: Run): Promise<Sample[]> {
  const { options, signal, participants } = run
  const common = new Children()
  const samples: Sample[] = []
  const record = (sample: Sample): void => {
    samples.push(sample)
    if (sample.error !== undefined) run.report(`round ${sample.round}, ${sample.peer}, ${sample.measurement}: ${sample.error}`)
  }
  try {
    const origin = await startOrigin(common)
    const meter = new Meter(new LoadProcess(common), options.amounts, signal)
    for (let round = 1; round <= options.rounds && !signal.aborted; round++) {
      const began = performance.now()
      const groups = participants.map(() => new Children())
      // Whatever is being measured fails at once when the processes behind it end.
      const abort = (): void => {
        for (const group of [...groups, common]) void group.stop()
      }
      signal.addEventListener('abort', abort)
      try {
        await oneRound({ ...run, round, origin, groups, meter, record })
      } finally {
        signal.removeEventListener('abort', abort)
        await Promise.all(groups.map((group) => group.stop()))
      }
      run.report(`round ${round} of ${options.rounds}: ${Math.round((performance.now() - began) / 1000)} s`)
    }
  } finally {
    await common.stop()
  }
  return samples
}

interface Round extends Run {
  readonly round: number
  readonly origin: number
  readonly groups: readonly Children[]
  readonly meter: Meter
  record(sample: Sample): void
}

async function oneRound(run: Round): Promise<void> {
  const { round, origin, meter, participants, signal } = run
  const running = new Map<Participant, RunningPeer>()
  const attempt = async (participant: Participant, measurement: Sample['measurement'], work: () => Promise<Measured>): Promise<void> => {
    if (signal.aborted) return
    const base = { round, peer: participant.peer.name, measurement }
    try {
      run.record({ ...base, ...(await work()) })
    } catch (error) {
      if (!signal.aborted) run.record({ ...base, values: {}, raw: {}, error: error instanceof Error ? error.message : String(error) })
    }
  }
  const wanted = [...new Set(run.options.figures.map(({ measurement }) => measurement))]
  const load = wanted.filter((measurement) => measurement !== 'start-up' && measurement !== 'idle')

  for (const [index, participant] of participants.entries()) {
    const folder = join(run.folder, `${participant.peer.name}-${round}`)
    if (wanted.includes('start-up') && participant.script !== undefined) {
      const { script } = participant
      await attempt(participant, 'start-up', async () => ({
        values: await inFolder(`${folder}-s`, (home) => startUp(script, origin, home)),
        raw: {},
      }))
    }
    if (wanted.every((measurement) => measurement === 'start-up')) continue
    await attempt(participant, 'start', async () => {
      await mkdir(folder, { recursive: true })
      const children = run.groups[index]!
      running.set(
        participant,
        await participant.peer.start({ origin, folder, children, script: (path, args) => startScript(children, path, args) }),
      )
      return { values: {}, raw: {} }
    })
    const peer = running.get(participant)
    if (peer === undefined) continue
    // In a fresh process: memory that other load leaves behind would hide what idle connections take.
    if (wanted.includes('idle')) await attempt(participant, 'idle', () => meter.measure('idle', peer))
    if (round === 1) {
      await attempt(participant, 'check', async () => {
        await meter.check(peer)
        return { values: {}, raw: { same: 1 } }
      })
    }
    if (load.length > 0) {
      await attempt(participant, 'warm-up', async () => {
        await meter.warmUp(peer)
        return { values: {}, raw: {} }
      })
    }
  }
  for (const measurement of load) {
    for (const [index] of participants.entries()) {
      const participant = participants[(index + round) % participants.length]!
      const peer = running.get(participant)
      if (peer !== undefined) await attempt(participant, measurement, () => meter.measure(measurement, peer))
    }
  }
}

async function inFolder<T>(folder: string, work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true })
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
