/**
 * Keys of named tunnels, moved from one machine to another in a file that a passphrase opens.
 * @packageDocumentation
 */
export { parseKeys, serializeKeys, type TunnelKeys } from './bundle.ts'
export { checkPassphrase, seal, unseal } from './seal.ts'
export { collectKeys, restoreKeys, type RestoredKeys } from './tunnel-keys.ts'
