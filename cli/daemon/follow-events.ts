import { isBeamError } from '../../core/errors.ts'
import type { Found, FoundProcess } from './find-processes.ts'
import type { LogLine } from './protocol.ts'
import { selectTunnels } from './select-tunnels.ts'

/** Which events are wanted. */
export interface EventsWanted {
  /** Id or name of a tunnel; absent = all. */
  readonly word: string | undefined
  /** Past events, over all processes. */
  readonly lines: number
  /** Whether to go on with new ones. */
  readonly follow: boolean | undefined
  readonly signal: AbortSignal
}

/**
 * Tells the events of tunnels: past ones of all processes in the order of time, then new ones until the signal fires or the processes end.
 * @throws UnreachableError (`BEAM_ERR_TUNNEL_UNKNOWN`)
 */
export async function followEvents(found: Found, wanted: EventsWanted, onLine: (line: LogLine) => void): Promise<void> {
  const { word, lines, follow, signal } = wanted
  const sources: Array<{ readonly carrier: FoundProcess; readonly tunnel?: string }> =
    word === undefined
      ? found.processes.map((carrier) => ({ carrier }))
      : selectTunnels(found, word).map(({ carrier, tunnel }) => ({ carrier, tunnel: tunnel.id }))
  const past = await Promise.all(
    sources.map(async ({ carrier, tunnel }) => {
      const entries: LogLine[] = []
      for await (const line of carrier.client.events({
        ...(tunnel === undefined ? {} : { tunnel }),
        history: lines,
        follow: false,
        signal,
      })) {
        entries.push(line)
      }
      return entries
    }),
  )
  const all = past.flat().toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
  for (const line of lines === 0 ? [] : all.slice(-lines)) onLine(line)
  if (follow === true) await Promise.all(sources.map(({ carrier, tunnel }) => live(carrier, tunnel, signal, onLine)))
}

async function live(
  carrier: FoundProcess,
  tunnel: string | undefined,
  signal: AbortSignal,
  onLine: (line: LogLine) => void,
): Promise<void> {
  try {
    for await (const line of carrier.client.events({ ...(tunnel === undefined ? {} : { tunnel }), history: 0, follow: true, signal }))
      onLine(line)
  } catch (error) {
    // The process ended: nothing more will happen to its tunnels.
    if (!isBeamError(error) || error.code !== 'BEAM_ERR_DAEMON_LOST') throw error
  }
}

function timeOf(line: LogLine): string {
  return 'at' in line ? line.at : ''
}
