import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackendUnavailableError, CleanupStack, sleep, type BeamPaths, type Clock, type Logger } from '../../../../core/index.ts'
import type { OnionConfig } from '../config.ts'
import { authenticate } from '../control/authenticate.ts'
import { ControlClient } from '../control/control-client.ts'
import { unquote } from '../control/fields.ts'
import type { Flavour } from '../flavour.ts'
import type { SocksTarget } from '../socks/socks-client.ts'
import { takeDataFolder } from './data-folder.ts'
import { DaemonProcess } from './daemon-process.ts'
import { findProgram } from './find-program.ts'
import { CONTROL_PORT_FILE, rcLines } from './rc-file.ts'
import type { DaemonSession } from './session.ts'
import { findTransports } from './transports.ts'

/** The control port is there within 0.2 s; a minute covers a loaded machine, and a daemon that waits for its predecessor to go. */
const START_LIMIT_MS = 60_000
/** How often the file with the port is looked for. */
const POLL_MS = 20

/** What an own daemon is made of. */
export interface OwnSetup {
  readonly flavour: Flavour
  readonly config: OnionConfig
  readonly paths: Pick<BeamPaths, 'data' | 'runtime'>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Starts a daemon that belongs to this process: it ends with the control connection, and, should that fail, when it finds this process gone.
 * @throws BackendUnavailableError, ConfigError, the signal's reason
 */
export async function startOwnDaemon(setup: OwnSetup, signal: AbortSignal): Promise<DaemonSession> {
  const { flavour, config, paths, clock, logger } = setup
  await using undo = new CleanupStack()
  const program = await findProgram({ flavour, binary: config.binary, signal })
  const transports = await findTransports(config.bridges ?? [], config.transports)
  const folder = await takeDataFolder(config.data_dir ?? join(paths.data, flavour.folder, 'daemon'), paths)
  undo.defer(() => folder[Symbol.asyncDispose]())
  const lines = rcLines({ flavour, config, folder: folder.path, pid: process.pid, transports })
  const rcFile = join(folder.path, `beam-${flavour.rc}`)
  const defaults = join(folder.path, `beam-${flavour.rc}-defaults`)
  await rm(join(folder.path, CONTROL_PORT_FILE), { force: true })
  await writeFile(rcFile, `${lines.join('\n')}\n`, { mode: 0o600 })
  await writeFile(defaults, '', { mode: 0o600 })
  signal.throwIfAborted()

  const daemon = new DaemonProcess({
    file: program.file,
    args: ['-f', rcFile, `--defaults-${flavour.rc}`, defaults],
    cwd: folder.path,
    clock,
    logger,
  })
  undo.defer(() => daemon.kill())
  const port = await controlPort(join(folder.path, CONTROL_PORT_FILE), daemon, clock, signal)
  const control = await ControlClient.connect({ host: '127.0.0.1', port }, { clock, signal })
  undo.defer(() => control.close())
  const version = await authenticate(control)
  await control.command('TAKEOWNERSHIP')
  const listeners = await control.getInfo('net/listeners/socks')
  signal.throwIfAborted()

  const rest = undo.move()
  const end = async (): Promise<void> => {
    control.close()
    await daemon.stop()
    await rest[Symbol.asyncDispose]()
  }
  let ending: Promise<void> | undefined
  const close = (): Promise<void> => (ending ??= end())
  // Whichever goes first takes the other along. The process says better why.
  const lost = Promise.race([
    daemon.ended,
    control.closed.then((error) => Promise.race([daemon.ended, sleep(200, { clock }).then(() => error)])),
  ])
  void lost.then(close)
  const warnings = [
    ...(flavour.notice === undefined ? [] : [flavour.notice]),
    ...(program.warning === undefined ? [] : [{ code: 'BEAM_WARN_TOR_VERSION', message: program.warning }]),
  ]
  return {
    mode: 'own',
    control,
    socks: parseListener(listeners),
    version,
    pid: daemon.pid,
    file: program.file,
    folder: folder.path,
    warnings,
    lost,
    close,
  }
}

async function controlPort(file: string, daemon: DaemonProcess, clock: Clock, signal: AbortSignal): Promise<number> {
  const limit = clock.monotonic() + START_LIMIT_MS
  while (clock.monotonic() < limit) {
    const text = await readFile(file, 'latin1').catch(() => '')
    const port = Number(/^PORT=127\.0\.0\.1:(\d{1,5})\s*$/m.exec(text)?.[1] ?? 0)
    if (port > 0) return port
    if (daemon.reason !== undefined) throw daemon.reason
    await sleep(POLL_MS, { clock, signal })
  }
  throw new BackendUnavailableError(`The daemon did not open its control port within ${START_LIMIT_MS / 1000} s.`, {
    code: 'BEAM_ERR_PROGRAM_FAILED',
  })
}

/** The first listener of a list such as `"127.0.0.1:9050" "unix:/run/tor/socks"`; undefined when there is none. */
export function parseListener(list: string): SocksTarget | undefined {
  const listeners = [...list.matchAll(/"((?:[^"\\]|\\[^])*)"/g)].map(([, inner]) => unquote(inner ?? ''))
  for (const listener of listeners) {
    const [, v6, v4, port] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(listener) ?? []
    // A port on all interfaces is reached on this machine's own.
    if (port !== undefined) return { host: localForm(v6 ?? v4 ?? ''), port: Number(port) }
    const path = /^unix:(.+)$/.exec(listener)?.[1]
    if (path !== undefined) return { path: path.replace(/^"(.*)"$/, '$1') }
  }
  return undefined
}

function localForm(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
