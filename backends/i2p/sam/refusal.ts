import { BackendUnavailableError, ConfigError, UnreachableError, type BeamError } from '../../../core/index.ts'
import { valueOf, type SamReply } from './reply.ts'

/** What a reply that is not OK means, in the words of this machine's user. Nothing of the command is in it: it may hold a key. */
export function refusalOf(reply: SamReply): BeamError {
  const result = valueOf(reply, 'RESULT') || 'no result'
  const said = valueOf(reply, 'MESSAGE').slice(0, 200)
  const cause = new Error(said === '' ? result : `${result}: ${said}`)
  switch (result) {
    case 'CANT_REACH_PEER':
    case 'PEER_NOT_FOUND':
      return new UnreachableError('Nobody publishes this destination, as far as the floodfills of I2P know.', {
        code: 'BEAM_ERR_NOT_FOUND',
        hint: 'A service is known some minutes after its publisher has started. An encrypted one is reached by its long (b33) address only.',
        cause,
      })
    case 'KEY_NOT_FOUND':
      return new UnreachableError('The address book of the router does not know this name.', { code: 'BEAM_ERR_NOT_FOUND', cause })
    case 'TIMEOUT':
      return new UnreachableError('The destination did not answer the router.', { cause })
    case 'INVALID_KEY':
      return new UnreachableError('The router takes this for no destination.', { code: 'BEAM_ERR_ADDRESS_INVALID', retry: 'never', cause })
    case 'DUPLICATED_DEST':
      return new BackendUnavailableError('Another program publishes with the same keys through this router.', {
        code: 'BEAM_ERR_NAME_IN_USE',
        hint: 'End it, or publish under another --name.',
        cause,
      })
    case 'NOVERSION':
      return new BackendUnavailableError('The router speaks another version of SAM than 3.1 to 3.3.', {
        hint: 'Install a newer I2P router.',
        cause,
      })
    default:
      return new BackendUnavailableError(`The I2P router refused${said === '' ? ` (${result.slice(0, 60)})` : `: ${said}`}.`, { cause })
  }
}

/** The private key was refused: the file is damaged, or of a type that this router does not know. */
export function keyRefused(cause: unknown): ConfigError {
  return new ConfigError('The I2P router does not take the private key of this tunnel.', {
    code: 'BEAM_ERR_KEY_STORAGE',
    hint: 'Restore the key file from a backup, or publish under another --name.',
    cause,
  })
}
