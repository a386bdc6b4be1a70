import { setTimeout as delay } from 'node:timers/promises'
import { Children, cleanEnvironment } from '../children.ts'
import type { Peer } from './peer.ts'

/**
 * Beam from a built package: a publisher and a connector that find each other without any network. Each writes a CPU profile into the
 * folder `profile`, when there is one, as it ends.
 */
export function beam(name: string, what: string, script: string, profile: string | undefined): Peer {
  const command = [...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]), script]
  return {
    name,
    what,
    missing: () => undefined,
    async start({ origin, folder, children }) {
      const env = environment(folder)
      const publisher = await children.start(process.execPath, [...command, String(origin), '--json'], env)
      await publisher.waitFor(/"event":"ready"/)
      const [address] = await publisher.waitFor(/beam:\/\/[a-z0-9]+/)
      const connector = await children.start(process.execPath, [...command, 'connect', address, '--port', '0', '--json'], env)
      const [, port] = await connector.waitFor(/"event":"listening".*?"port":(\d+)/)
      return { port: Number(port), publisher: [publisher.pid], connector: [connector.pid] }
    },
  }
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { ...cleanEnvironment(folder), BEAM_HOME: folder, BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }
}

/** Seconds from the start of the process to the end of `beam --version`, and to `ready` of `beam <port>`. */
export async function startUp(script: string, origin: number, folder: string): Promise<{ version: number; ready: number }> {
  const version = await timed(script, ['--version'], folder, /beam \d/)
  // Other work that the last process left to the machine is over.
  await delay(100)
  return { version, ready: await timed(script, [String(origin), '--json'], folder, /"event":"ready"/) }
}

async function timed(script: string, args: readonly string[], folder: string, pattern: RegExp): Promise<number> {
  const children = new Children()
  try {
    const begin = performance.now()
    const child = await children.start(process.execPath, [script, ...args], environment(folder))
    await child.waitFor(pattern)
    return (performance.now() - begin) / 1000
  } finally {
    await children.stop()
  }
}
