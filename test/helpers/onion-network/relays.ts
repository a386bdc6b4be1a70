import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { authorityLines, daemonLines, memberLines, relayLines, type Layout } from './configuration.ts'
import { Daemon } from './daemon.ts'
import type { Flavor } from './flavor.ts'
import { nodeName } from './keys.ts'

/** Starts the authority and all relays in their folders below `folder`. */
export function startRelays(flavor: Flavor, layout: Layout, authority: string, folder: string, votingOffset = 0): Daemon[] {
  return layout.orPorts.map((orPort, index) => {
    const name = nodeName(index)
    return new Daemon(flavor, name, join(folder, name), [
      ...memberLines(authority),
      ...daemonLines(flavor, join(folder, name)),
      `Nickname ${name}`,
      ...relayLines(layout.address, orPort),
      ...(index === 0 ? authorityLines(layout, votingOffset) : []),
    ])
  })
}

/** Waits until every port of the network answers. */
export async function relaysListen({ address, dirPort, orPorts }: Layout, relays: readonly Daemon[], limitMs: number): Promise<void> {
  const deadline = Date.now() + limitMs
  for (const port of [dirPort, ...orPorts]) {
    while (!(await answers(address, port))) {
      for (const relay of relays) if (!relay.running) await relay.controlPort()
      if (Date.now() > deadline) throw new Error(`nobody listens on ${address}:${port}`)
      await delay(20)
    }
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true)).once('error', () => settle(false))
  })
}
