import { BackendUnavailableError, ProtocolError, UnreachableError, type BeamError } from '../../../../core/index.ts'
import type { OnionAddress } from '../address.ts'
import type { Flavour } from '../flavour.ts'

/**
 * The codes of SOCKS5 (RFC 1928 section 6), and those that a daemon has for onion services where its port was opened with `ExtendedErrors`
 * (Tor proposal 304).
 */
export const SOCKS = {
  granted: 0x00,
  failure: 0x01,
  notAllowed: 0x02,
  networkUnreachable: 0x03,
  hostUnreachable: 0x04,
  refused: 0x05,
  expired: 0x06,
  commandUnknown: 0x07,
  typeUnknown: 0x08,
  descriptorNotFound: 0xf0,
  descriptorInvalid: 0xf1,
  introductionFailed: 0xf2,
  rendezvousFailed: 0xf3,
  authorizationMissing: 0xf4,
  authorizationWrong: 0xf5,
  addressInvalid: 0xf6,
  introductionTimedOut: 0xf7,
} as const

/** What is known of the daemon when it refuses. */
export interface SocksContext {
  readonly flavour: Pick<Flavour, 'title' | 'suffix'>
  readonly address: Pick<OnionAddress, 'port'>
  /** Whether our end of the network works: when it does not, the refusal says nothing of the service. */
  readonly networkUp: boolean
}

/** The refusal of a dial as an error that says whose side it is. */
export function socksError(code: number, { flavour, address, networkUp }: SocksContext): BeamError {
  const { title, suffix } = flavour
  const service = `The .${suffix} service`
  switch (code) {
    case SOCKS.descriptorNotFound:
      return networkUp
        ? new UnreachableError(`No .${suffix} service is published under this address.`, {
            code: 'BEAM_ERR_NOT_FOUND',
            hint: 'Its publisher is offline, or has started less than a minute ago. Check the address, and try again in a while.',
          })
        : notConnected(title)
    case SOCKS.descriptorInvalid:
      return new UnreachableError(`${service} published a description of itself that cannot be used.`, {
        hint: 'Its publisher has to publish it again.',
      })
    case SOCKS.introductionFailed:
      return new UnreachableError(`${service} is published, but does not answer at its introduction points.`, {
        hint: 'It has probably just gone offline or restarted; try again in a minute.',
      })
    case SOCKS.introductionTimedOut:
      return new UnreachableError(`${service} is published, but did not answer in time.`, {
        retry: 'now',
        hint: 'It is overloaded or has gone offline; try again.',
      })
    case SOCKS.rendezvousFailed:
      return new UnreachableError(`${service} answered, but the circuit to it failed.`, {
        retry: 'now',
        hint: 'Try again: another circuit is used.',
      })
    case SOCKS.authorizationMissing:
      return new UnreachableError(`${service} lets only authorised visitors in, and no key was given.`, {
        code: 'BEAM_ERR_ACCESS_DENIED',
        retry: 'never',
        hint: 'Ask its publisher for a key, and give it with --auth-key.',
      })
    case SOCKS.authorizationWrong:
      return new UnreachableError(`${service} does not let this client key in.`, {
        code: 'BEAM_ERR_ACCESS_DENIED',
        retry: 'never',
        hint: 'Compare the key with what its publisher gave you; it may have been withdrawn.',
      })
    case SOCKS.addressInvalid:
      return new UnreachableError(`The daemon does not take this .${suffix} address.`, { code: 'BEAM_ERR_ADDRESS_INVALID', retry: 'never' })
    case SOCKS.refused:
      // Tor does not tell the two apart.
      return new UnreachableError(`${service} refuses connections on port ${address.port}.`, {
        hint: 'It offers nothing there (put its port behind the address, as in :8080), or has as many connections of yours as it allows (--circuits 4 allows more).',
      })
    case SOCKS.notAllowed:
      return new BackendUnavailableError('The SOCKS port does not allow this connection.', {
        retry: 'never',
        hint: `That port has a policy of its own (SocksPolicy, or flags such as NoOnionTraffic). Use another tor_port.`,
      })
    case SOCKS.hostUnreachable:
      if (!networkUp) return notConnected(title)
      return new UnreachableError(`${service} could not be reached.`, {
        hint: 'It is offline, does not exist, or lets only known visitors in: this daemon does not say which (SocksPort … ExtendedErrors).',
      })
    case SOCKS.networkUnreachable:
    case SOCKS.expired:
      if (!networkUp) return notConnected(title)
      return new UnreachableError(`${service} could not be reached in time.`, { retry: 'now', hint: 'Try again in a minute.' })
    case SOCKS.failure:
      if (!networkUp) return notConnected(title)
      return new UnreachableError(`${service} was reached, but what is behind it does not answer.`, {
        hint: 'The publisher’s local service is not running, or the circuit failed.',
      })
    default:
      return new ProtocolError(`The SOCKS port answered with the unknown code ${code}.`, { code: 'BEAM_ERR_CONTROL_PORT' })
  }
}

function notConnected(title: string): BackendUnavailableError {
  return new BackendUnavailableError(`This machine is not connected to ${title} at present.`, {
    code: 'BEAM_ERR_BOOTSTRAP',
    hint: 'Look at the network connection; Beam goes on trying.',
  })
}
