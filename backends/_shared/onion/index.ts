/**
 * What the backends of onion services share: the daemons of Tor and Anyone are the same program under different names.
 * @packageDocumentation
 */
export { OnionBackend } from './onion-backend.ts'
export type { Flavour } from './flavour.ts'
