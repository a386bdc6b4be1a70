import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { readDump } from '../wireguard/dump.ts'
import { getInterface } from '../wireguard/uapi-client.ts'
import type { WireGuardState } from '../wireguard/uapi.ts'
import { CONTROL_LIMIT_MS, MAX_WIREGUARD_BYTES } from '../constants.ts'

/** Interfaces that are looked at: a node with more friends than that has other tools. */
const MAX_INTERFACES = 64

/** The WireGuard interfaces of this machine: in user space by their sockets, in the kernel by `wg`. What is not open to the user is left out. */
export async function wireguardStates(): Promise<Readonly<Record<string, WireGuardState>>> {
  const names = (await wg('show', 'interfaces')).split(/\s+/).filter((name) => /^[\w.-]{1,15}$/.test(name))
  const states: Record<string, WireGuardState> = {}
  for (const name of names.slice(0, MAX_INTERFACES)) {
    try {
      const socket = `/var/run/wireguard/${name}.sock`
      const userSpace = await stat(socket).then(
        () => true,
        () => false,
      )
      states[name] = userSpace ? await getInterface(socket) : readDump(await wg('show', name, 'dump'))
    } catch {
      // Not open to this user, or gone meanwhile.
    }
  }
  return states
}

function wg(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout: CONTROL_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_WIREGUARD_BYTES } as const
    execFile('wg', args, options, (error, stdout) => resolve(error === null ? stdout : ''))
  })
}
