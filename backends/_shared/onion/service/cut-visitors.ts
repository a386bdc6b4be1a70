import { sleep, type Clock } from '../../../../core/index.ts'
import type { ControlClient } from '../control/control-client.ts'
import { parseCircuits } from '../control/circuits.ts'
import { ControlReplyError } from '../control/control-error.ts'

/**
 * Between the ends of two circuits. Of the notices (DESTROY cells) that are due to one relay at the same moment, a daemon sends the first; the
 * others stay in its queue until something else is sent there (tor: `circuitmux_append_destroy_cell`), which on idle connections took 10 to
 * more than 75 s. The relays on the way are such daemons, too.
 */
const GAP_MS = 30
/** All circuits of a service together: a service with hundreds of visitors keeps relays busy enough for smaller gaps. */
const MAX_CUT_MS = 2_000

/**
 * Ends the streams of all visitors of a service, by closing their circuits, and no others. They learn of it within the time that the network
 * takes for a cell, unless notices meet at an idle relay all the same. Never fails: without a control connection the service is gone anyway.
 */
export async function cutVisitors(control: ControlClient, service: string, clock: Clock): Promise<void> {
  try {
    const circuits = parseCircuits(await control.getInfo('circuit-status')).filter(
      (circuit) => circuit.purpose === 'HS_SERVICE_REND' && circuit.service === service,
    )
    const gapMs = Math.min(GAP_MS, MAX_CUT_MS / circuits.length)
    for (const { id } of circuits) {
      await control.command(`CLOSECIRCUIT ${id}`).catch(isOver)
      await sleep(gapMs, { clock })
    }
  } catch {
    return
  }
}

/** A circuit that ended by itself meanwhile is as good. */
function isOver(error: unknown): void {
  if (!(error instanceof ControlReplyError)) throw error
}
