/** What a backend of this kind states of itself: what it can do, and what it reveals. */
import { UnsupportedError, type BackendCapabilities, type TunnelOptions } from '../../../core/index.ts'
import type { OnionConfig } from './config.ts'
import type { Flavour } from './flavour.ts'

/** Constant for a configured backend. */
export function capabilitiesOf({ non_anonymous: single = false, bridges = [] }: OnionConfig): BackendCapabilities {
  return {
    supportsDomains: false,
    supportsIPv6: false,
    maxThroughput: Infinity,
    // Whoever sees both ends of a circuit can link them by time and volume: so never `high`.
    anonymityLevel: single ? 'none' : 'medium',
    censorshipResistance: bridges.length > 0 ? 'high' : 'medium',
    delivery: 'stream',
    exposesPublisherIp: single,
    exposesVisitorIp: false,
    persistentAddresses: true,
    accessControl: false,
    deliversDirectly: true,
  }
}

/** The warning of a service with a single hop. */
export const NOT_ANONYMOUS =
  'This service is NOT anonymous (non_anonymous): it is one hop away, and the network can learn the IP address of this machine.'

/** What somebody who holds the address, or watches this machine, can learn of the publisher. */
export function publishReveals({ title }: Pick<Flavour, 'title'>, { non_anonymous: single = false }: OnionConfig): readonly string[] {
  if (single) return [`The relays of ${title} can learn the IP address of this machine.`]
  return [`${title} hides the IP address of this machine.`, seenLocally(title)]
}

/** What visiting reveals of the visitor. */
export function dialReveals({ title }: Pick<Flavour, 'title'>): readonly string[] {
  return [`The publisher sees that somebody came through ${title}, not who.`, seenLocally(title)]
}

function seenLocally(title: string): string {
  return `The network of this machine sees that ${title} is used, not for what.`
}

/** @throws UnsupportedError for options that this network cannot keep */
export function refuseWhatCannotBe({ access, domain }: TunnelOptions, flavour: Pick<Flavour, 'title' | 'backend'>): void {
  if (domain !== undefined) throw noDomains(flavour)
  if (access?.secret === undefined && (access?.allow?.length ?? 0) === 0) return
  throw new UnsupportedError(`${flavour.title} knows no visitor keys or secret words of Beam.`, {
    hint: `Authorise visitors with client keys: beam ${flavour.backend} auth add.`,
  })
}

/** The answer to whatever is about domains. */
export function noDomains({ title }: Pick<Flavour, 'title'>): UnsupportedError {
  return new UnsupportedError(`${title} has no domains.`)
}
