import type { HealthReport, NetworkHealth, PathReport } from '../../core/index.ts'
import type { ConnectionRecord, TunnelRecord } from '../daemon/protocol.ts'
import type { Colours } from './colours.ts'
import { field } from './layout.ts'

/** What a network's state is called where the tunnel has no address on it. */
const STATES: Readonly<Record<NetworkHealth['state'], string>> = {
  idle: 'not wanted now',
  starting: 'being started',
  up: 'up',
  down: 'out of order, being repaired',
  failed: 'could not be started, tried again',
}

/** How a network or a path is: `answers in 340 ms, 98% of attempts worked (41 of 42 in all), last one 12 s ago`. Empty where nothing was measured. */
export function healthText({ breaker, latencyMs, reliability, succeeded, failed, checkedAt }: HealthReport, now = Date.now()): string {
  if (reliability === undefined && latencyMs === undefined) return ''
  const all = succeeded === undefined || failed === undefined ? '' : ` (${succeeded} of ${succeeded + failed} in all)`
  return [
    ...(latencyMs === undefined ? [] : [`answers in ${milliseconds(latencyMs)}`]),
    ...(reliability === undefined ? [] : [`${percent(reliability)} of attempts worked${all}`]),
    ...(checkedAt === undefined ? [] : [`last one ${ago(now - Date.parse(checkedAt))} ago`]),
    ...(breaker === 'half-open' ? ['on trial'] : []),
  ].join(', ')
}

/** The same in two figures, for lists: `340 ms, 98%`. */
export function briefHealth({ latencyMs, reliability }: HealthReport): string {
  return [...(latencyMs === undefined ? [] : [milliseconds(latencyMs)]), ...(reliability === undefined ? [] : [percent(reliability)])].join(
    ', ',
  )
}

/** The addresses of a tunnel with the network of each, and the networks on which it has none. */
export function networkFields({ endpoints, networks = [] }: TunnelRecord, columns: number, paint: Colours): string[] {
  const told = new Set<string>()
  const fields = endpoints.flatMap(({ backend, address, state }) => {
    const health = told.has(backend) ? undefined : networks.find((network) => network.backend === backend)
    told.add(backend)
    return [
      field('Address', address, columns, paint.cyan),
      field('Path', `${backend}, ${state}`, columns),
      ...healthFields(health ?? {}, columns),
    ]
  })
  const others = networks.filter(({ backend }) => !told.has(backend))
  return [...fields, ...others.map(({ backend, state }) => field('Network', `${backend}, ${STATES[state]}`, columns))]
}

/** A local port that leads to somebody else's service, with its paths. */
export function connectionText({ host, port, address, paths }: ConnectionRecord, columns: number, paint: Colours): string {
  const usable = paths.some(({ state }) => state === 'up')
  return [
    `\n${usable ? paint.green('●') : paint.yellow('○')} ${paint.bold(`${host}:${port}`)}\n`,
    field('Leads to', address, columns, paint.cyan),
    ...paths.flatMap((path) => [field('Path', pathWords(path), columns), ...healthFields(path, columns)]),
  ].join('')
}

function pathWords({ label, kind, state }: PathReport): string {
  return [label, ...(kind === undefined ? [] : [kind]), state].join(', ')
}

function healthFields(health: HealthReport, columns: number): string[] {
  const text = healthText(health)
  return text === '' ? [] : [field('Health', text, columns)]
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** 99.6% is not all. */
function percent(share: number): string {
  return share >= 1 ? '100%' : `${Math.min(99, Math.round(share * 100))}%`
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}
