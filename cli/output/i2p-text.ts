import type { OperationData } from '../daemon/protocol.ts'
import type { Colours } from './colours.ts'
import { foreignText } from './foreign-text.ts'
import { labelled } from './table.ts'

type Row = Readonly<Record<string, unknown>>

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string =>
  typeof value === 'string' ? foreignText(value) : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''

/** `beam i2p status` for people: one Beam process. */
export function i2pStatusText(pid: number, answer: OperationData, columns: number, paint: Colours): string {
  const { state, router, tunnels, diallingSessions, dialledStreams, openStreams } = answer
  const head = labelled(
    [
      ['Process', String(pid)],
      ['State', text(state)],
      ['Router', routerText(router)],
      ['Visits', `${text(dialledStreams)} streams, ${text(diallingSessions)} sessions`],
      ['Visitors', `${text(openStreams)} streams`],
    ],
    columns,
  )
  const rows = Array.isArray(tunnels) ? tunnels.filter(isRow) : []
  const list = rows.map((tunnel) => `\n${paint.bold(text(tunnel['address']))}\n${labelled(tunnelFields(tunnel), columns)}`)
  return `${head}${list.join('')}`
}

function routerText(router: unknown): string {
  if (!isRow(router)) return text(router)
  const { mode, sam, samVersion, version, pid, restarts } = router
  const parts = [
    text(mode),
    ...(version === undefined ? [] : [`i2pd ${text(version)}`]),
    ...(sam === undefined ? ['being started'] : [`SAM ${text(samVersion)} at ${text(sam)}`]),
    ...(pid === undefined ? [] : [`process ${text(pid)}`]),
    ...(restarts === undefined || restarts === 0 ? [] : [`started again ${text(restarts)} times`]),
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function tunnelFields(tunnel: Row): Array<readonly [string, string]> {
  const { name, state, session, reachedSecondsAgo, tunnels, encrypted, clients, visitors, refusedVisitors, addressHelper } = tunnel
  const shape = isRow(tunnels) ? tunnels : {}
  const names = Array.isArray(clients) ? clients.map(text).join(', ') : ''
  return [
    ...(name === undefined ? [] : [['Name', text(name)] as const]),
    ['State', `${text(state)}; session: ${text(session)}`],
    ['Reached', reachedSecondsAgo === undefined ? 'not yet' : `${text(reachedSecondsAgo)} s ago, through the network`],
    ['Tunnels', `${text(shape['quantity'])} each way, ${text(shape['length'])} hops`],
    ['Lease set', encrypted === true ? `encrypted${names === '' ? '' : ` for ${names}`}` : 'public'],
    ['Visitors', `${text(visitors)} now, ${text(refusedVisitors)} refused so far`],
    ...(addressHelper === undefined ? [] : [['Helper', text(addressHelper)] as const]),
  ]
}
