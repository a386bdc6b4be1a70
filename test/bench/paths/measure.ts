import { connect } from 'node:net'
import type { Faults } from '../../../core/testing/index.ts'
import type { Strategy } from '../../../core/tunnels/strategy.ts'
import { stage } from './stage.ts'

/** One download. */
export interface Download {
  /** Bytes per second, from the dial to the last byte. */
  readonly rate: number
  readonly firstByteMs: number
  /** The longest time without a byte, after the first one. */
  readonly longestGapMs: number
}

/** Downloads through a local port; `onBytes` hears how much has arrived. */
export function download(port: number, bytes: number, onBytes: (bytes: number) => void = () => {}): Promise<Download> {
  return new Promise((resolve, reject) => {
    const from = performance.now()
    let last = from
    let seen = 0
    let firstByteMs = 0
    let longestGapMs = 0
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => socket.write(`${bytes}\n`))
    socket.on('data', (chunk: Buffer) => {
      const now = performance.now()
      if (seen === 0) firstByteMs = now - from
      else longestGapMs = Math.max(longestGapMs, now - last)
      last = now
      seen += chunk.length
      onBytes(seen)
    })
    socket.on('error', reject)
    socket.on('close', () => {
      if (seen !== bytes) return reject(new Error(`${seen} of ${bytes} bytes arrived`))
      resolve({ rate: (bytes * 1_000) / (last - from), firstByteMs, longestGapMs })
    })
  })
}

/** The rate of one connection over paths of such shapes. */
export async function goodput(servicePort: number, shapes: readonly Faults[], bytes: number): Promise<number> {
  await using made = await stage(servicePort, 'multipath', shapes)
  // What a path carries is learnt in the first seconds of the first connection.
  await download(made.port.port, bytes / 4)
  return (await download(made.port.port, bytes)).rate
}

/** The longest gap of an established connection when one of two paths goes while it carries half. */
export async function failoverOfConnection(servicePort: number, shape: Faults, fault: Faults, bytes: number): Promise<number> {
  await using made = await stage(servicePort, 'multipath', [shape, shape])
  let done = false
  const { longestGapMs } = await download(made.port.port, bytes, (seen) => {
    if (done || seen < bytes / 3) return
    done = true
    made.networks[0]?.faults.set(fault)
  })
  return longestGapMs
}

/** New connections that are tried after the fault: whichever path a strategy has them take, one of them meets the dead one. */
const TRIES = 4

/** The longest time that a new connection takes to its first byte when one of two paths, the first choice, is gone. */
export async function failoverOfNew(servicePort: number, strategy: Strategy, shape: Faults, fault: Faults): Promise<number> {
  await using made = await stage(servicePort, strategy, [shape, shape])
  for (let index = 0; index < TRIES; index++) await download(made.port.port, 1_000)
  const [first] = made.port.paths
  made.networks.find(({ name }) => name === first?.label)?.faults.set(fault)
  let longestMs = 0
  for (let index = 0; index < TRIES; index++) longestMs = Math.max(longestMs, (await download(made.port.port, 1_000)).firstByteMs)
  return longestMs
}
