import type { PluginContext } from '../../core/index.ts'
import { OnionBackend } from '../_shared/onion/index.ts'
import type { AtorConfig } from './config.generated.ts'
import { ANYONE } from './flavour.ts'

/** What the ATOR backend is made of. */
export type AtorComponents = PluginContext<AtorConfig>

/** The Anyone network: each tunnel is a hidden service of one `anon` daemon, which is started by Beam or attached to. */
export class AtorBackend extends OnionBackend {
  constructor(components: AtorComponents) {
    super(ANYONE, components)
  }
}
