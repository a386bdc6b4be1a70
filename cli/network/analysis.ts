import type { Snapshot } from './ask.ts'
import { bandOf, distanceMs, quantile, shares } from './figures.ts'
import type { CountryOf } from './geoip.ts'

type Shares = ReturnType<typeof shares>

/** A node's surroundings in figures; what was not measured, or has no source, is absent. */
export interface Analysis {
  readonly peers: number
  readonly inbound: number
  readonly heard: number
  readonly latencyMs?: { readonly median: number; readonly p95: number; readonly most: number }
  /** Peers by the network of their address. */
  readonly networks: Shares
  readonly countries?: Shares
  readonly participations: Shares
  /** Peers by the round trip that was measured or, failing that, that the coordinates foretell. */
  readonly distances: Shares
  readonly relayed?: NonNullable<Snapshot['status']['relayed']>
  readonly discovery: Snapshot['status']['discovery']
}

/** Works it out. */
export function analyse({ status, peers }: Pick<Snapshot, 'status' | 'peers'>, countryOf?: CountryOf): Analysis {
  const measured = peers.flatMap(({ latencyMs }) => latencyMs ?? [])
  const [median, p95, most] = [quantile(measured, 0.5), quantile(measured, 0.95), quantile(measured, 1)]
  const own = status.coordinate
  const distances = peers.flatMap(
    ({ latencyMs, coordinate }) => latencyMs ?? (own !== undefined && coordinate !== undefined ? distanceMs(own, coordinate) : []),
  )
  return {
    peers: peers.length,
    inbound: peers.filter(({ direction }) => direction === 'in').length,
    heard: status.heard ?? 0,
    ...(median === undefined || p95 === undefined || most === undefined ? {} : { latencyMs: { median, p95, most } }),
    networks: shares(peers.map(({ prefix }) => prefix ?? 'this site')),
    ...(countryOf === undefined
      ? {}
      : { countries: shares(peers.map(({ host }) => (host === undefined ? undefined : countryOf(host)) ?? 'not known')) }),
    participations: shares(peers.flatMap(({ participation }) => participation ?? [])),
    distances: shares(distances.map(bandOf)),
    ...(status.relayed === undefined ? {} : { relayed: status.relayed }),
    discovery: status.discovery,
  }
}
