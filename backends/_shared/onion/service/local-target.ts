import { isIP, connect } from 'node:net'

/** A local port accepts at once or refuses; a second is for a loaded machine. */
const PROBE_LIMIT_MS = 1_000

/** Whether the daemon can be told this host: names would make it ask the DNS, so only addresses and `localhost`. */
export function deliverable(host: string): boolean {
  return host === 'localhost' || isIP(host) !== 0
}

/** A host and port as the daemon takes them. Of `localhost`, the address on which something listens; 127.0.0.1 when nothing does. */
export async function directTarget(host: string, port: number): Promise<string> {
  if (host !== 'localhost') return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
  if (await listens('127.0.0.1', port)) return `127.0.0.1:${port}`
  return (await listens('::1', port)) ? `[::1]:${port}` : `127.0.0.1:${port}`
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PROBE_LIMIT_MS, () => done(false))
    socket.once('error', () => done(false))
    // An end and not a reset: many a small service falls over a reset that it does not expect.
    socket.once('connect', () => socket.end(() => done(true)))
  })
}
