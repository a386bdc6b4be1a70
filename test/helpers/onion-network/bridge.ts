import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { relayLines } from './configuration.ts'
import type { OnionNetwork } from './onion-network.ts'

/** Until a new bridge has its keys and its transport: seconds. */
const START_MS = 60_000

/** A bridge that speaks obfs4, and the line by which clients find it. */
export interface Bridge {
  /** For the `bridges` option of the backends, without the word `Bridge`. */
  readonly line: string
  /** Its descriptor is there, so that clients get in. */
  readonly port: number
}

/** Starts a bridge with obfs4 in a private network; it ends with the network. `port` and `orPort` must be free. */
export async function startBridge(network: OnionNetwork, obfs4proxy: string, port: number, orPort: number): Promise<Bridge> {
  const { address } = network.layout
  const daemon = network.launch('bridge', {
    lines: [
      ...relayLines(address, orPort),
      'BridgeRelay 1',
      'PublishServerDescriptor 0',
      'ExtORPort auto',
      `ServerTransportPlugin obfs4 exec ${obfs4proxy}`,
      `ServerTransportListenAddr obfs4 ${address}:${port}`,
    ],
  })
  const control = await daemon.control()
  const file = (name: string): string => readFileSync(join(daemon.folder, name), 'utf8')
  for (const deadline = Date.now() + START_MS; ; await delay(50)) {
    try {
      const transport = /^Bridge obfs4 .* (cert=\S+ iat-mode=\d)$/m.exec(file('pt_state/obfs4_bridgeline.txt'))?.[1]
      const fingerprint = await control.info('fingerprint')
      const circuits = await control.info('status/bootstrap-phase')
      if (transport !== undefined && circuits.includes('PROGRESS=100')) {
        return { line: `obfs4 ${address}:${port} ${fingerprint} ${transport}`, port }
      }
    } catch {
      // Not written yet.
    }
    if (Date.now() > deadline) throw new Error('the bridge does not come up')
  }
}
