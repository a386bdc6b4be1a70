import type { ProcessInfo } from '../daemon/protocol.ts'
import type { OnionAuth, OnionServiceStatus, OnionStatus } from '../onion/answers.ts'
import type { OnionNetwork } from '../onion/networks.ts'
import type { Colours } from './colours.ts'
import { field } from './layout.ts'

/** How it is shown. */
export interface OnionTextOptions {
  readonly columns: number
  readonly paint: Colours
  /** Every circuit, not only their number. */
  readonly circuits: boolean
}

/** The daemon of one Beam instance. */
export function onionStatusText(
  network: OnionNetwork,
  status: OnionStatus,
  owner: Pick<ProcessInfo, 'pid' | 'role'>,
  options: OnionTextOptions,
): string {
  const { columns, paint } = options
  const { state, message, version, pid, mode, binary, socks, uptimeSeconds, services = [] } = status
  const good = state === 'running'
  const whose = owner.role === 'daemon' ? `the daemon of Beam (process ${owner.pid})` : `Beam (process ${owner.pid})`
  const daemon = [
    mode === 'attached' ? `used by ${whose}, ran already` : `started by ${whose}`,
    ...(pid === undefined ? [] : [`process ${pid}`]),
  ]
  const rows: Array<readonly [string, string, ((line: string) => string)?]> = [
    ['State', `${state}${message === undefined ? '' : `: ${message}`}`, good ? paint.green : paint.yellow],
    ['Daemon', [...daemon, ...(uptimeSeconds === undefined ? [] : [`up ${durationText(uptimeSeconds)}`])].join(', ')],
    ...(binary === undefined ? [] : [['Program', binary] as const]),
    ...(socks === undefined ? [] : [['SOCKS', socks] as const]),
    ...networkRows(status),
  ]
  return [
    `${good ? paint.green('●') : paint.yellow('○')} ${paint.bold(`${network.title}${version === undefined ? '' : ` ${version}`}`)}\n\n`,
    ...rows.map(([label, text, look]) => field(label, text, columns, look)),
    ...(options.circuits ? circuitLines(status) : []),
    ...services.map((service) => `\n${serviceText(service, options)}`),
  ].join('')
}

function networkRows({
  bootstrap,
  circuitEstablished,
  liveness,
  dormant,
  guards,
  circuits = [],
  circuitCount = circuits.length,
}: OnionStatus): (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = []
  if (bootstrap !== undefined) {
    const { percent, tag, summary } = bootstrap
    const step = [summary, tag === undefined || percent === 100 ? undefined : `(${tag})`].filter((part) => part !== undefined).join(' ')
    rows.push(['Bootstrap', `${Math.round(percent)} %${step === '' ? '' : `, ${step}`}`])
  }
  const online = [
    ...(liveness === undefined ? [] : [{ up: 'online', down: 'offline', unknown: 'not known whether it is online' }[liveness]]),
    ...(circuitEstablished === undefined ? [] : [circuitEstablished ? 'circuits can be built' : 'no circuit could be built yet']),
    ...(dormant === true ? ['asleep, because nobody used it for long'] : []),
  ]
  if (online.length > 0) rows.push(['Network', online.join(', ')])
  if (guards !== undefined) {
    const up = guards.filter(({ state }) => state === 'up').length
    rows.push(['Guards', guards.length === 0 ? 'none chosen yet' : `${up} of ${guards.length} reachable`])
  }
  if (circuitCount > 0 || circuitEstablished !== undefined) {
    const built = circuits.filter(({ state }) => state === 'BUILT').length
    const shown = circuitCount > circuits.length ? ` (of ${circuits.length} looked at)` : ''
    rows.push(['Circuits', circuitCount === 0 ? 'none' : `${circuitCount}, ${built} built${shown}`])
  }
  return rows
}

function circuitLines({ circuits = [] }: OnionStatus): string[] {
  if (circuits.length === 0) return []
  return [
    '\n',
    ...circuits.map(
      ({ id, state, purpose, relays }) => `  ${id.padStart(4)}  ${state.padEnd(9)} ${purpose.padEnd(20)} ${relays.join(' → ')}\n`,
    ),
  ]
}

function serviceText(
  { name, address, state, published, ports = [], clients = 0, ...service }: OnionServiceStatus,
  { columns, paint }: OnionTextOptions,
): string {
  const up = state === 'active'
  const said = [up ? 'reachable' : state, ...(published === undefined ? [] : [published ? 'published' : 'not published yet'])]
  const visitors =
    clients === 0 ? 'nobody: no key was added yet' : clients === 1 ? 'the holder of one key' : `the holders of ${clients} keys`
  return [
    `  ${paint.bold(paint.cyan(address))}${name === undefined ? '' : `  “${name}”`}\n`,
    field('State', said.join(', '), columns, up ? paint.green : paint.yellow),
    ...(ports.some((port) => port !== 80) ? [field('Ports', ports.join(', '), columns)] : []),
    ...(service.protected === true ? [field('Visitors', visitors, columns)] : []),
  ].join('')
}

/** Who may visit a service. */
export function authText({ service, protected: closed, clients }: OnionAuth, paint: Colours): string {
  const who = closed
    ? clients.length === 0
      ? 'nobody can visit it: no key was added'
      : 'only these visitors'
    : 'everybody who has the address'
  return [`${paint.bold(service)}: ${who}\n`, ...clients.map(({ client, publicKey }) => `  ${publicKey}  ${client}\n`)].join('')
}

/** Whether running tunnels follow a change. */
export function liveText(live: number): string {
  if (live === 0) return 'No tunnel of this name runs now; it holds when one is published.'
  return live === 1 ? 'The running tunnel follows it already.' : `${live} running tunnels follow it already.`
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}
