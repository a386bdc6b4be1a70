import type { FoundProcess, Found } from '../daemon/find-processes.ts'
import type { ProcessInfo, TunnelRecord } from '../daemon/protocol.ts'
import type { Selected } from '../daemon/select-tunnels.ts'
import type { ServiceUnit } from '../daemon/service-unit.ts'
import { formatTarget } from '../input/service-target.ts'
import { colours, type Colours } from './colours.ts'
import { writeJson } from './config-text.ts'
import { briefHealth, connectionText, networkFields } from './health-text.ts'
import { columnsOf, field } from './layout.ts'

interface Shown {
  readonly json: boolean
}

/** Prints the tunnels that run, briefly. */
export function writeList({ json }: Shown, found: Found): void {
  if (json) return writeFound(found)
  const paint = colours(process.stdout)
  for (const { process: owner, tunnels } of found.processes) {
    for (const tunnel of tunnels) process.stdout.write(briefText(tunnel, owner, paint))
  }
  if (found.processes.every(({ tunnels }) => tunnels.length === 0)) process.stdout.write('No tunnel runs. To publish a port: beam 3000\n')
  writeSilent(found)
}

/** Prints the processes and their tunnels, with everything that is known of them. */
export function writeStatus({ json }: Shown, found: Found): void {
  if (json) return writeFound(found)
  const paint = colours(process.stdout)
  if (!found.processes.some(({ process: { role } }) => role === 'daemon')) process.stdout.write('No daemon runs.\n')
  for (const { process: owner, tunnels, connections = [] } of found.processes) {
    process.stdout.write(`${paint.bold(ownerText(owner))}, Beam ${owner.version}, since ${when(owner.since)}\n`)
    for (const tunnel of tunnels) process.stdout.write(fullText(tunnel, paint))
    for (const connection of connections) process.stdout.write(connectionText(connection, columnsOf(process.stdout), paint))
    process.stdout.write('\n')
  }
  writeSilent(found)
}

/** Prints which tunnels were ended. */
export function writeStopped({ json }: Shown, stopped: readonly Selected[]): void {
  if (json) {
    return writeJson({
      stopped: stopped.map(({ tunnel: { id, name, host, port }, carrier }) => ({
        id,
        ...(name === undefined ? {} : { name }),
        host,
        port,
        pid: carrier.process.pid,
      })),
    })
  }
  for (const { tunnel } of stopped) process.stdout.write(`${labelOf(tunnel)} (${formatTarget(tunnel)}) is no longer published.\n`)
}

/** Prints what is to be said of the daemon. */
export async function writeDaemon({ json }: Shown, daemon: FoundProcess | undefined, changed?: boolean): Promise<void> {
  const [{ logPath }, { beamPaths }] = await Promise.all([import('../daemon/log-path.ts'), import('../../config/paths.ts')])
  const log = logPath(beamPaths())
  if (json) {
    const details = daemon === undefined ? {} : { process: daemon.process, tunnels: daemon.tunnels.length }
    return writeJson({ running: daemon !== undefined, ...(changed === undefined ? {} : { changed }), ...details, log })
  }
  if (daemon === undefined) return void process.stdout.write('No daemon runs. To start it: beam daemon start\n')
  const { pid, version, since } = daemon.process
  const count = daemon.tunnels.length
  const state = changed === true ? 'started' : changed === false ? 'runs already' : 'runs'
  process.stdout.write(
    `The daemon ${state} (process ${pid}, Beam ${version}, since ${when(since)}); it carries ${count === 1 ? 'one tunnel' : `${count} tunnels`}.\nLog: ${log}\n`,
  )
}

/** Prints whether the daemon was ended. */
export function writeDaemonStopped({ json }: Shown, pid: number | undefined): void {
  if (json) return writeJson({ running: false, changed: pid !== undefined })
  process.stdout.write(pid === undefined ? 'No daemon runs.\n' : `The daemon (process ${pid}) has ended.\n`)
}

/** Prints the unit and where it goes. */
export function writeUnit({ json }: Shown, unit: ServiceUnit, { written }: { readonly written: boolean }): void {
  const { file, content, next } = unit
  if (json) return writeJson({ file, content, written, next })
  process.stdout.write(written ? `${file} is written. To start it now and at every login:\n${next}\n` : `${file}:\n\n${content}\n`)
}

/** A line of the daemon's log for people; what is no JSON stays as it is. */
export function logLineText(line: string): string {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line) as Record<string, unknown>
  } catch {
    return `${line}\n`
  }
  const { time, level, pid: _pid, msg, ...fields } = entry
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${String(time)} ${LEVELS[Number(level)] ?? String(level)} ${String(msg)}${rest.join('')}\n`
}

/** pino's numbers. */
const LEVELS: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' }

function writeFound({ processes, silent }: Found): void {
  writeJson({ processes: processes.map(({ client: _client, ...answer }) => answer), silent })
}

function writeSilent({ silent }: Found): void {
  for (const { socket, message } of silent) process.stderr.write(`Warning A Beam process gives no answer at ${socket}: ${message}\n`)
}

function briefText(tunnel: TunnelRecord, owner: ProcessInfo, paint: Colours): string {
  const addresses = tunnel.endpoints
    .map(({ backend, address, state }) => {
      const health = briefHealth(tunnel.networks?.find((network) => network.backend === backend) ?? {})
      return `  ${paint.cyan(address)}  ${backend}, ${state}${health === '' ? '' : `, ${health}`}\n`
    })
    .join('')
  return `${mark(tunnel, paint)} ${paint.bold(labelOf(tunnel))}  ${formatTarget(tunnel)}  ${stateOf(tunnel)}  ${ownerText(owner)}\n${addresses}`
}

function fullText(tunnel: TunnelRecord, paint: Colours): string {
  const columns = columnsOf(process.stdout)
  const { id, name, config, access, service, kept, problem } = tunnel
  return [
    `\n${mark(tunnel, paint)} ${paint.bold(labelOf(tunnel))}\n`,
    ...(name === undefined ? [] : [field('Id', id, columns)]),
    field('State', `${stateOf(tunnel)}, since ${when(tunnel.since)}`, columns),
    ...(problem === undefined ? [] : [field('Problem', `${problem.message} (${problem.code})`, columns, paint.yellow)]),
    field('Service', `${formatTarget(tunnel)}${service === undefined ? '' : `, ${service}`}`, columns),
    ...networkFields(tunnel, columns, paint),
    ...(access === undefined ? [] : [field('Access', access, columns)]),
    ...(config === undefined ? [] : [field('Config', config, columns)]),
    field('Lives', kept ? 'until beam stop; the daemon keeps it across restarts' : 'as long as the command that published it', columns),
  ].join('')
}

function labelOf({ id, name }: TunnelRecord): string {
  return name ?? id
}

function stateOf({ state }: TunnelRecord): string {
  return { starting: 'starting', ready: 'published', waiting: 'not published, tried again' }[state]
}

function mark({ state, service }: TunnelRecord, paint: Colours): string {
  return state === 'ready' && service === 'up' ? paint.green('●') : paint.yellow('○')
}

function ownerText({ role, pid }: ProcessInfo): string {
  return role === 'daemon' ? `daemon (process ${pid})` : `process ${pid}`
}

/** A time without fractions of seconds. */
function when(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z')
}
