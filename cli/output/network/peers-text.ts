import type { PeerFigures } from '../../network/answers.ts'
import type { Colours } from '../colours.ts'
import { foreignText } from '../foreign-text.ts'
import { table, type Column } from '../table.ts'
import { msText, shortId, timeText } from './words.ts'

/** A peer with what only some views know of it. */
export interface PeerRow extends PeerFigures {
  readonly distanceMs?: number
  readonly country?: string
  /** What it is called on the map beside. */
  readonly mark?: string
}

/** Columns below which there is no room for everything. */
const NARROW = 64

/** A table of peers, the nearest first; with `geo` also which network and country they are in and how far. */
export function peersText(
  peers: readonly PeerRow[],
  columns: number,
  paint: Colours,
  { geo = false }: { readonly geo?: boolean } = {},
): string {
  if (peers.length === 0) return 'No peers.\n'
  // On a narrow terminal what matters most.
  const narrow = columns < NARROW
  const countries = peers.some(({ country }) => country !== undefined)
  const shown: Array<readonly [Column, (peer: PeerRow) => string]> = [
    ...(peers.some(({ mark }) => mark !== undefined) ? [[{ title: '', max: 1 }, ({ mark = '' }: PeerRow) => mark] as const] : []),
    [{ title: 'PEER', max: 10 }, ({ id }) => shortId(id)],
    ...(narrow ? [] : [[{ title: 'DIALLED', max: 7 }, ({ direction }: PeerRow) => (direction === 'out' ? 'by us' : 'by it')] as const]),
    [{ title: 'LATENCY', max: 9 }, ({ latencyMs }) => (latencyMs === undefined ? '' : msText(latencyMs))],
    ...(geo
      ? ([
          [{ title: 'DISTANCE', max: 9 }, ({ distanceMs }: PeerRow) => (distanceMs === undefined ? '' : msText(distanceMs))],
          ...(countries ? [[{ title: 'COUNTRY', max: 20 }, ({ country = '' }: PeerRow) => country] as const] : []),
          [{ title: 'NETWORK', max: 30 }, ({ prefix = 'this site' }: PeerRow) => foreignText(prefix)],
        ] as const)
      : ([
          [{ title: 'TRUST', max: 5 }, ({ trust }: PeerRow) => trust.toFixed(2)],
          ...(narrow
            ? []
            : ([
                [{ title: 'SINCE', max: 7 }, ({ ageMs }: PeerRow) => timeText(ageMs)],
                [{ title: 'DOES', max: 8 }, ({ participation = '' }: PeerRow) => foreignText(participation)],
              ] as const)),
          [{ title: 'NOW', max: 6 }, ({ busy }: PeerRow) => (busy ? 'busy' : 'idle')],
        ] as const)),
  ]
  const sorted = peers.toSorted((a, b) => (a.latencyMs ?? Infinity) - (b.latencyMs ?? Infinity) || (a.id < b.id ? -1 : 1))
  return table(
    shown.map(([column]) => column),
    sorted.map((peer) => shown.map(([, cell]) => cell(peer))),
    columns,
    paint,
  )
}
