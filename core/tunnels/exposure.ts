/**
 * The one place that decides what a choice of networks reveals. A network either hides this end's IP address or exposes it; a tunnel that
 * a hiding network carries must not be tied to the address by an exposing one, unless the user said so (`allowExposure`). Naming both is
 * no consent. Pure: no I/O, no state.
 */
import type { Endpoint } from '../backend.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import { ConfigError } from '../errors.ts'

/** Which end of a tunnel is asked about: the one that publishes or the one that visits. */
export type TunnelEnd = 'publisher' | 'visitor'

/** A backend of a chain, in order of preference. */
export interface ExposureCandidate {
  readonly name: string
  readonly capabilities: BackendCapabilities
}

/** What a chain of backends may be used for. */
export interface ExposurePlan {
  /** The backends that may carry the tunnel, in order. */
  readonly chain: readonly string[]
  /** The backends that may not, each with the reason for people. */
  readonly leftOut: ReadonlyArray<{ readonly backend: string; readonly reason: string }>
  /** Whether a tunnel that `from` carries now may move to `to`. */
  mayMove(from: string, to: string): boolean
  /** Whether what `directory` announces of the tunnel may list its address on `network`: who reads it knows that both are one service. */
  mayList(directory: string, network: string): boolean
}

/** Whether the network lets others learn this end's IP address. */
export function exposes(end: TunnelEnd, capabilities: BackendCapabilities): boolean {
  return end === 'publisher' ? capabilities.exposesPublisherIp : capabilities.exposesVisitorIp
}

/**
 * Decides which backends of a chain may be used.
 *
 * Used one after another, the chain stops above the first step from a hiding to an exposing backend, and a later move back over such a step
 * is refused as well. Used all at once, a mixture is refused outright, because nobody could say which part the user wanted.
 *
 * @throws ConfigError (`BEAM_ERR_EXPOSURE`) when a mixture would be used at once.
 */
export function planExposure(
  chain: readonly ExposureCandidate[],
  options: { readonly end: TunnelEnd; readonly atOnce: boolean; readonly allowExposure: boolean },
): ExposurePlan {
  const exposing = new Map(chain.map(({ name, capabilities }) => [name, exposes(options.end, capabilities)]))
  if (options.allowExposure) return { chain: [...exposing.keys()], leftOut: [], mayMove: () => true, mayList: () => true }

  const hides = [...exposing].filter(([, shown]) => !shown).map(([name]) => name)
  const shows = [...exposing].filter(([, shown]) => shown).map(([name]) => name)
  if (options.atOnce && hides.length > 0 && shows.length > 0) {
    throw new ConfigError(
      `Using ${list(shows)} beside ${list(hides)} would show the IP address that ${list(hides)} ${hides.length === 1 ? 'hides' : 'hide'}.`,
      {
        code: 'BEAM_ERR_EXPOSURE',
        hint: `Leave ${list(shows)} out, or say that it is meant: --allow-exposure (allowExposure in the configuration and the SDK).`,
      },
    )
  }

  const firstHiding = chain.findIndex(({ name }) => exposing.get(name) === false)
  const step = firstHiding < 0 ? -1 : chain.findIndex(({ name }, index) => index > firstHiding && exposing.get(name) === true)
  const kept = step < 0 ? chain : chain.slice(0, step)
  const dropped = step < 0 ? [] : chain.slice(step)
  return {
    chain: kept.map(({ name }) => name),
    leftOut: dropped.map(({ name }) => ({
      backend: name,
      reason:
        exposing.get(name) === true
          ? `it would show the IP address that ${chain[step - 1]?.name ?? ''} hides (--allow-exposure permits it)`
          : `it stands behind ${chain[step]?.name ?? ''}, which is left out`,
    })),
    mayMove: (from, to) => exposing.get(from) === true || exposing.get(to) === false,
    mayList: (directory, network) => exposing.get(directory) === exposing.get(network),
  }
}

/**
 * Whether a meeting place behind a network that hides may be told of a tunnel's address on this network: one that shows the publisher's IP
 * address would tie the two together.
 */
export function mayRegister(capabilities: BackendCapabilities, { allowExposure }: { readonly allowExposure: boolean }): boolean {
  return allowExposure || !exposes('publisher', capabilities)
}

/** Whether a meeting place may be asked through this network: whoever asks one is not to be seen by it. */
export function mayVisitPlaces(capabilities: BackendCapabilities): boolean {
  return !exposes('visitor', capabilities)
}

/** What one network reveals of this end, in sentences for people. */
export function revealedBy(end: TunnelEnd, { name, capabilities }: ExposureCandidate): readonly string[] {
  if (!exposes(end, capabilities)) return [`${name} hides the IP address of this machine.`]
  return end === 'publisher'
    ? ['Whoever holds the address can learn the IP address of this machine.']
    : ['The publisher can learn the IP address of this machine.']
}

/** An endpoint with something said about what it reveals, also when its backend says nothing. */
export function withReveals(endpoint: Endpoint, candidate: ExposureCandidate): Endpoint {
  return endpoint.reveals.length > 0 ? endpoint : { ...endpoint, reveals: revealedBy('publisher', candidate) }
}

function list(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}
