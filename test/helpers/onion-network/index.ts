/** Private Tor and Anyone networks for tests and for the bench. */
export { Control } from './control.ts'
export { requireAnon, requireTor, type Flavor } from './flavor.ts'
export { OnionNetwork, type Client } from './onion-network.ts'
