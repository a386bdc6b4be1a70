import { BackendUnavailableError, ConfigError } from '../../core/index.ts'
import type { I2pAddress } from './address.ts'
import type { TunnelShape } from './session-options.ts'

/** What is said to people about how I2P is used, in one place. */

/** What somebody who holds the address can learn of the publisher. */
export function publishReveals(encrypted: boolean): readonly string[] {
  return [
    encrypted
      ? 'The floodfills of I2P see that some service is published, not which one.'
      : 'The floodfills of I2P see the address and when it is online; not your IP address.',
    'Whoever watches your line sees that this machine takes part in I2P.',
  ]
}

/** What dialling reveals of the visitor. */
export function dialReveals({ kind }: I2pAddress): readonly string[] {
  return [
    'The publisher sees a destination that was made for this session, not your IP address.',
    kind === 'b33'
      ? 'A floodfill sees that somebody asks for an encrypted lease set.'
      : 'A floodfill sees that somebody asks for this address.',
  ]
}

/** What is said before a tunnel starts whose shape has a price. */
export function shapeWarning({ length, quantity }: TunnelShape): string | undefined {
  if (length === 0) return 'Tunnels without hops: whoever runs a router of I2P can find out that the service is on this machine.'
  if (length < 3)
    return `Tunnels of ${length} ${length === 1 ? 'hop' : 'hops'} are faster than the usual 3, and hide this machine less well.`
  if (quantity < 3) return 'With fewer than 3 tunnels each way the address may stay unpublished for ten minutes after the start.'
  return undefined
}

/** There is neither a router nor a program to start one. */
export function noRouter(cause: unknown): BackendUnavailableError {
  return new BackendUnavailableError(
    'There is no I2P router: nothing offers SAM on 127.0.0.1:7656, and the program i2pd is not installed.',
    {
      hint: 'Install one: apt install i2pd, or brew install i2pd. A router that runs already needs SAM switched on ([sam] enabled = true).',
      cause,
    },
  )
}

/** An address that hides what is looked up needs a newer kind of key. */
export function noB33(): ConfigError {
  return new ConfigError('The keys of this tunnel are of a type that cannot have an encrypted lease set.', {
    hint: 'Only Ed25519 and Red25519 keys can. Publish under another --name to get new keys.',
  })
}

/** A dial that failed because this end has no tunnels yet: nothing is known of the destination. */
export function noTunnels(cause: unknown): BackendUnavailableError {
  return new BackendUnavailableError('The I2P router has no tunnels for the visit yet.', {
    hint: 'After a cold start it takes 3 to 10 minutes to know the network. Try again; a router that runs all the time has no such wait.',
    cause,
  })
}
