import { OnionBackend, type OnionComponents } from '../_shared/onion/index.ts'
import type { AtorConfig } from './config.generated.ts'
import { ANYONE } from './flavour.ts'

/** What the ATOR backend is made of. */
export interface AtorComponents extends OnionComponents {
  readonly config: AtorConfig
}

/** The Anyone network: each tunnel is a hidden service of one `anon` daemon, which is started by Beam or attached to. */
export class AtorBackend extends OnionBackend {
  constructor(components: AtorComponents) {
    super(ANYONE, components)
  }
}
