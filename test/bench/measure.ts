import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement } from './figures.ts'
import type { LoadProcess } from './load/load-process.ts'
import type { Result } from './load/protocol.ts'
import type { Amounts } from './options.ts'
import type { RunningPeer } from './peers/peer.ts'
import { cpuSeconds, memoryKib } from '../../plugins/benchmark/proc.ts'
import { wrk, wrkInstalled } from './wrk.ts'

/** Memory counts when it has not moved by more than this between two looks, or when the last look was taken. */
const SETTLED_KIB = 256
const LOOKS = 8
const BETWEEN_LOOKS_MS = 1000
/** Load before the first measurement of a round: code is compiled, links and pools are up. */
const WARM_UP = { bytes: 32 << 20, connections: 3000 } as const
/** Bytes whose SHA-256 is compared in each direction. */
const CHECK_BYTES = 64 << 20

/** What one measurement gave: values by the name of the figure, and the counts behind them. */
export interface Measured {
  readonly values: Readonly<Record<string, number>>
  readonly raw: Result
  /** What failed on the way; the values count what succeeded. */
  readonly error?: string
}

/** Measures one running peer. */
export class Meter {
  readonly #load: LoadProcess
  readonly #amounts: Amounts
  readonly #signal: AbortSignal

  constructor(load: LoadProcess, amounts: Amounts, signal: AbortSignal) {
    this.#load = load
    this.#amounts = amounts
    this.#signal = signal
  }

  /** Bytes and connections that are not counted. */
  async warmUp({ port }: RunningPeer): Promise<void> {
    await this.#load.run({ task: 'up', port, bytes: WARM_UP.bytes })
    await this.#load.run({ task: 'down', port, bytes: WARM_UP.bytes })
    await this.#load.run({ task: 'first-byte', port, count: WARM_UP.connections })
  }

  /** An error unless what arrives is what was sent, in both directions. */
  async check({ port }: RunningPeer): Promise<void> {
    await this.#load.run({ task: 'check', port, bytes: CHECK_BYTES })
  }

  measure(measurement: Exclude<Measurement, 'start-up'>, peer: RunningPeer): Promise<Measured> {
    switch (measurement) {
      case 'bulk-down':
        return this.#bulk(peer, 'down')
      case 'bulk-up':
        return this.#bulk(peer, 'up')
      case 'requests':
        return this.#requests(peer)
      case 'first-byte':
        return this.#firstByte(peer)
      case 'connections':
        return this.#connections(peer)
      case 'idle':
        return this.#idle(peer)
      case 'crowd':
        return this.#crowd(peer)
    }
  }

  async #bulk(peer: RunningPeer, direction: 'down' | 'up'): Promise<Measured> {
    const { result, cpu } = await counted(peer, () => this.#load.run({ task: direction, port: peer.port, bytes: this.#amounts.bulkBytes }))
    const bytes = this.#amounts.bulkBytes
    const values = { [direction]: bytes / 1e6 / result['seconds']!, [`cpu-${direction}`]: cpu / (bytes / 1e9) }
    return { values, raw: { ...result, cpu } }
  }

  async #requests(peer: RunningPeer): Promise<Measured> {
    const { result, cpu } = await counted(peer, () => this.#loop(peer, true))
    const count = result['count']!
    return {
      values: { requests: count / result['seconds']!, 'requests-cpu': (cpu * 1e6) / count },
      raw: { ...result, cpu },
      ...failed(result),
    }
  }

  async #connections(peer: RunningPeer): Promise<Measured> {
    const { result, cpu } = await counted(peer, () => this.#loop(peer, false))
    return { values: { connections: result['count']! / result['seconds']! }, raw: { ...result, cpu }, ...failed(result) }
  }

  #loop({ port }: RunningPeer, keepAlive: boolean): Promise<Result> {
    const { inFlight, loopSeconds: seconds } = this.#amounts
    return wrkInstalled()
      ? wrk(port, inFlight, seconds, keepAlive, this.#signal)
      : this.#load.run({ task: keepAlive ? 'requests' : 'connections', port, inFlight, seconds })
  }

  async #firstByte({ port }: RunningPeer): Promise<Measured> {
    const result = await this.#load.run({ task: 'first-byte', port, count: this.#amounts.firstBytes })
    return { values: { 'ttfb-p50': result['p50']!, 'ttfb-p99': result['p99']! }, raw: result }
  }

  async #idle(peer: RunningPeer): Promise<Measured> {
    const { port, publisher, connector } = peer
    const { idleBase, idle } = this.#amounts
    const hold = async (count: number): Promise<{ publisher: number; connector: number }> => {
      const { errors } = await this.#load.run({ task: 'hold', port, count })
      if (errors !== 0) throw new Error(`${errors} of ${count} connections failed`)
      return this.#settled(peer)
    }
    try {
      const before = await hold(idleBase)
      const after = await hold(idle)
      const each = (side: 'publisher' | 'connector'): number => (after[side] - before[side]) / idle
      const values = {
        ...(publisher.length > 0 && { 'idle-publisher': each('publisher') }),
        ...(connector.length > 0 && { 'idle-connector': each('connector') }),
      }
      return { values, raw: { idle, publisherKib: after.publisher, connectorKib: after.connector } }
    } finally {
      await this.#load.run({ task: 'release', port })
    }
  }

  /** Memory of both sides once it has come to rest, in KiB. */
  async #settled({ publisher, connector }: RunningPeer): Promise<{ publisher: number; connector: number }> {
    const look = (): { publisher: number; connector: number } => ({ publisher: memoryKib(publisher), connector: memoryKib(connector) })
    let before = look()
    for (let looks = 1; ; looks++) {
      await delay(BETWEEN_LOOKS_MS, undefined, { signal: this.#signal })
      const now = look()
      const moved = Math.max(Math.abs(now.publisher - before.publisher), Math.abs(now.connector - before.connector))
      if (moved <= SETTLED_KIB || looks === LOOKS) return now
      before = now
    }
  }

  async #crowd({ port }: RunningPeer): Promise<Measured> {
    const result = await this.#load.run({ task: 'crowd', port, count: this.#amounts.crowd })
    const errors = result['errors']!
    const error = errors === 0 ? {} : { error: `${errors} of ${result['count']} connections failed` }
    return { values: { 'crowd-errors': errors }, raw: result, ...error }
  }
}

/** Runs `work` and says what CPU the processes of the peer took meanwhile, in seconds. */
async function counted({ publisher, connector }: RunningPeer, work: () => Promise<Result>): Promise<{ result: Result; cpu: number }> {
  const before = cpuSeconds([...publisher, ...connector])
  const result = await work()
  return { result, cpu: cpuSeconds([...publisher, ...connector]) - before }
}

/** The errors of a closed loop, by kind where they are known. */
function failed(result: Result): { readonly error?: string } {
  const kinds = Object.entries(result).filter(([name, count]) => name.endsWith('errors') && count > 0)
  if (kinds.length === 0) return {}
  return { error: `${kinds.map(([name, count]) => `${count} ${name}`).join(', ')} beside ${result['count']} requests` }
}
