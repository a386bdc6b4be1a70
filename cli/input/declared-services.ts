import type { BeamConfig } from '../../config/beam-config.generated.ts'
import type { Service } from '../publish-session.ts'

/** The tunnels of a configuration as they are published. */
export function declaredServices({
  tunnels,
}: Pick<BeamConfig, 'tunnels'>): ReadonlyArray<Service & { readonly options: { readonly name: string } }> {
  return tunnels.map(({ name, port, host, domain, backends, strategy, access, allowExposure, http, network }) => ({
    target: { port, host },
    options: {
      name,
      strategy,
      allowExposure,
      ...(domain === undefined ? {} : { domain }),
      ...(backends === undefined ? {} : { backends }),
      ...(access === undefined ? {} : { access }),
      ...(http === undefined ? {} : { http }),
      ...(network === undefined ? {} : { network }),
    },
  }))
}
