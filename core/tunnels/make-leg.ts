import type { Arrivals } from './arrivals.ts'
import type { BackendHandle } from './backend-handle.ts'
import { Leg, type LegSetup } from './leg.ts'
import { OpenStreams } from './open-streams.ts'
import type { PublishSetup } from './publish-setup.ts'
import { tunnelOptions } from './tunnel-options.ts'

/** What the legs of a tunnel have in common. */
interface LegParts extends Pick<LegSetup, 'health' | 'clock' | 'logger' | 'events'> {
  readonly tunnel: PublishSetup
  readonly id: string
  readonly arrivals: Arrivals
}

/**
 * The leg of a tunnel on one backend, and its visitors' streams as far as Beam sees them: where a daemon can connect to the local port by
 * itself and nothing has to be done on the way, Beam adds nothing to the path and cannot count.
 */
export function makeLeg(
  handle: BackendHandle,
  { tunnel, id, arrivals, ...parts }: LegParts,
): { leg: Leg; streams: OpenStreams | undefined } {
  const { target, onStream, http } = tunnel
  const { capabilities } = handle
  const between = onStream !== undefined || http !== undefined || arrivals.looksAt(capabilities)
  const streams = between || capabilities.deliversDirectly !== true ? new OpenStreams() : undefined
  const leg: Leg = new Leg({
    handle,
    port: target.port,
    ...parts,
    options: {
      ...tunnelOptions(tunnel, handle),
      id,
      ...(streams === undefined ? {} : { onStream: streams.through(arrivals.on(capabilities), () => leg.proved()) }),
    },
  })
  return { leg, streams }
}
