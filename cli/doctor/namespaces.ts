import { execFile } from 'node:child_process'
import { open } from 'node:fs/promises'
import type { Check } from './finding.ts'

/** Making a namespace and leaving it takes milliseconds. */
const PROBE_LIMIT_MS = 3_000

/** Whether a mesh of friends can be kept on this machine: a network namespace without root, and `/dev/net/tun`. Makes one, and leaves it. */
export function namespaceCheck(): Check {
  return {
    group: 'machine',
    id: 'namespaces',
    title: 'Namespaces',
    deadlineMs: PROBE_LIMIT_MS + 1_000,
    async run() {
      if (process.platform !== 'linux') return { state: 'absent', detail: 'only Linux has them (--anonet-mode managed)' }
      const root = process.getuid?.() === 0
      const refused = await refusal(root ? ['--net', '--mount', 'true'] : ['--user', '--map-root-user', '--net', '--mount', 'true'])
      if (refused !== undefined) {
        const advice = 'Needed by --anonet-mode managed alone, which says what grants it.'
        return { state: 'absent', detail: `not allowed: ${refused}`, advice }
      }
      const tun = await open('/dev/net/tun', 'r+').then(
        (file) => file.close().then(() => undefined),
        (error: NodeJS.ErrnoException) => error.code ?? error.message,
      )
      if (tun !== undefined)
        return { state: 'limited', detail: `allowed, but /dev/net/tun is not open (${tun})`, advice: 'sudo chmod 666 /dev/net/tun' }
      return { state: 'ok', detail: root ? 'as root' : 'without root' }
    },
  }
}

function refusal(args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('unshare', args, { timeout: PROBE_LIMIT_MS, killSignal: 'SIGKILL' }, (error, _, stderr) =>
      resolve(error === null ? undefined : stderr.trim().split('\n')[0]?.slice(0, 100) || error.message),
    )
  })
}
