import type { PluginContext } from '../../core/index.ts'
import { OnionBackend } from '../_shared/onion/index.ts'
import type { TorConfig } from './config.generated.ts'
import { TOR } from './flavour.ts'

/** What the Tor backend is made of. */
export type TorComponents = PluginContext<TorConfig>

/** Tor: each tunnel is an onion service of one `tor` daemon, which is started by Beam or attached to. */
export class TorBackend extends OnionBackend {
  constructor(components: TorComponents) {
    super(TOR, components)
  }
}
