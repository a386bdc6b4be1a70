import { connect } from 'node:net'
import { BackendUnavailableError, CleanupStack, ConfigError, isBeamError, type Clock } from '../../../../core/index.ts'
import { hostAndPort, type OnionConfig } from '../config.ts'
import { authenticate } from '../control/authenticate.ts'
import { ControlClient, describeTarget, type ControlTarget } from '../control/control-client.ts'
import { OLDEST_VERSION, olderThan, parseVersion, SUPPORTED_VERSION, type Flavour } from '../flavour.ts'
import type { SocksTarget } from '../socks/socks-client.ts'
import { parseListener } from './own-daemon.ts'
import type { DaemonSession } from './session.ts'

/** A daemon on this machine answers at once. */
const PROBE_LIMIT_MS = 3_000
/** Enough of an answer to know what gave it. */
const PROBE_BYTES = 64
/** Where the control port is, by habit, when only the SOCKS port is configured. */
const USUAL_CONTROL_PORT = 9051

/** What attaching needs. */
export interface AttachSetup {
  readonly flavour: Flavour
  readonly config: OnionConfig
  readonly clock: Clock
}

/**
 * Uses a daemon that runs already. It is left as it was: services belong to our connection and end with it, and nothing is configured.
 * @throws BackendUnavailableError, ConfigError (ports that were exchanged, and other settings that cannot be right), the signal's reason
 */
export async function attachDaemon({ flavour, config, clock }: AttachSetup, signal: AbortSignal): Promise<DaemonSession> {
  await using undo = new CleanupStack()
  const target = controlTarget(config)
  const given = config.tor_port === undefined ? undefined : hostAndPort('tor_port', config.tor_port)
  const wasGiven = config.control_port !== undefined || config.control_socket !== undefined
  const control = await openControl(target, given, { clock, signal, wasGiven })
  undo.defer(() => control.close())
  const version = await introduce(control, config, { target, given })
  signal.throwIfAborted()
  const socks = given ?? parseListener(await control.getInfo('net/listeners/socks'))
  if (given !== undefined) await checkSocks(given, { target, flavour })
  const pid = Number(await control.getInfo('process/pid').catch(() => ''))
  undo.move()

  const close = async (): Promise<void> => control.close()
  const warnings = versionWarnings(version, flavour)
  return { mode: 'attached', control, socks, version, pid: pid > 0 ? pid : undefined, warnings, lost: control.closed, close }
}

function controlTarget({ control_socket, control_port }: OnionConfig): ControlTarget {
  if (control_socket !== undefined && control_port !== undefined) {
    throw new ConfigError('Both control_port and control_socket are set.', { hint: 'Leave one of them out.' })
  }
  return control_socket === undefined ? hostAndPort('control_port', control_port ?? USUAL_CONTROL_PORT) : { path: control_socket }
}

async function openControl(
  target: ControlTarget,
  given: { readonly host: string; readonly port: number } | undefined,
  { clock, signal, wasGiven }: { readonly clock: Clock; readonly signal: AbortSignal; readonly wasGiven: boolean },
): Promise<ControlClient> {
  try {
    return await ControlClient.connect(target, { clock, signal })
  } catch (error) {
    if (signal.aborted || given === undefined) throw error
    // 9051 is the control port by habit, and many a configuration has the two exchanged or counted up.
    if ((await identify(given)) === 'control') throw misplaced(given)
    if (!wasGiven) {
      throw new BackendUnavailableError(`${describeTarget(target)} is not there, and only tor_port is configured.`, {
        code: 'BEAM_ERR_CONTROL_PORT',
        retry: 'never',
        hint: 'Set control_port or control_socket too: services are published, and the network is watched, by the control port. Or leave tor_port out: Beam then runs a daemon of its own.',
        cause: error,
      })
    }
    throw error
  }
}

async function introduce(
  control: ControlClient,
  config: OnionConfig,
  { target, given }: { readonly target: ControlTarget; readonly given: { readonly host: string; readonly port: number } | undefined },
): Promise<string> {
  try {
    return await authenticate(control, { password: config.control_password })
  } catch (error) {
    if ('path' in target || (await identify(target)) !== 'socks') throw withHint(error, target)
    const exchanged = given !== undefined && (await identify(given)) === 'control'
    throw exchanged ? swapped(given.port, target.port) : notControl(target.port)
  }
}

/** What is silent, or hangs up at once, may be anything. */
function withHint(error: unknown, target: ControlTarget): unknown {
  if (!isBeamError(error) || error.hint !== undefined) return error
  return new BackendUnavailableError(`${describeTarget(target)} does not answer as one: ${error.message}`, {
    code: 'BEAM_ERR_CONTROL_PORT',
    retry: error.retry,
    hint: 'Check that a daemon of this kind has its control port there, and that it is not stuck.',
    cause: error,
  })
}

function swapped(socks: number, control: number): ConfigError {
  return new ConfigError(
    `tor_port (${socks}) and control_port (${control}) are exchanged: ${socks} is the control port, ${control} is SOCKS.`,
    {
      hint: `Write tor_port: ${control} and control_port: ${socks}.`,
    },
  )
}

function notControl(port: number): ConfigError {
  return new ConfigError(`control_port ${port} is a SOCKS port.`, {
    hint: `Write tor_port: ${port}, and set control_port to what ControlPort says in the daemon’s configuration (usually ${USUAL_CONTROL_PORT}).`,
  })
}

function misplaced({ port }: { readonly port: number }): ConfigError {
  return new ConfigError(`tor_port ${port} is the control port, and nothing listens on the configured control port.`, {
    hint: `Write control_port: ${port}, and leave tor_port out: Beam asks the daemon for its SOCKS port.`,
  })
}

async function checkSocks(
  socks: { readonly host: string; readonly port: number },
  { target, flavour }: { readonly target: ControlTarget; readonly flavour: Flavour },
): Promise<void> {
  const kind = await speaksSocks(socks)
  if (kind === 'yes') return
  const found = kind === 'gone' ? 'gone' : await identify(socks)
  if (found === 'control') {
    throw new ConfigError(`tor_port ${socks.port} is a control port.`, {
      hint: `Leave tor_port out (Beam asks ${describeTarget(target).toLowerCase()} for it), or set it to what SocksPort says in the configuration of ${flavour.program}.`,
    })
  }
  throw new BackendUnavailableError(
    `tor_port ${socks.port}: ${found === 'gone' ? 'nothing listens there' : 'what listens there is no SOCKS port'}.`,
    {
      code: 'BEAM_ERR_CONTROL_PORT',
      hint: 'Leave tor_port out: Beam asks the daemon for its SOCKS port.',
    },
  )
}

function versionWarnings(version: string, flavour: Flavour): DaemonSession['warnings'] {
  const figures = parseVersion(version)
  if (figures === undefined || !olderThan(figures, SUPPORTED_VERSION)) return []
  const effect = olderThan(figures, OLDEST_VERSION) ? 'much of what Beam asks of it will fail' : 'it is no longer supported by its project'
  return [{ code: 'BEAM_WARN_TOR_VERSION', message: `The attached ${flavour.program} has the old version ${version}: ${effect}.` }]
}

/** What listens on a port, by its answer to a command of the control protocol: a SOCKS port explains itself in HTTP. */
async function identify(target: SocksTarget): Promise<'control' | 'socks' | 'unknown'> {
  const answer = await ask(target, 'PROTOCOLINFO 1\r\n')
  if (answer === undefined) return 'unknown'
  if (/^(250|514|5\d\d)[ -]/.test(answer.toString('latin1'))) return 'control'
  return answer.toString('latin1').startsWith('HTTP/1.0 501 ') ? 'socks' : 'unknown'
}

async function speaksSocks(target: SocksTarget): Promise<'yes' | 'no' | 'gone'> {
  const answer = await ask(target, Buffer.of(5, 1, 2))
  if (answer === undefined) return 'gone'
  return answer[0] === 5 && answer[1] === 2 ? 'yes' : 'no'
}

/** The first bytes of an answer; none after three seconds of silence; undefined when nothing listens. */
function ask(target: SocksTarget, question: string | Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(target)
    let answer = Buffer.alloc(0)
    let connected = false
    const done = (): void => {
      socket.destroy()
      resolve(connected ? answer : undefined)
    }
    socket.setTimeout(PROBE_LIMIT_MS, done)
    socket.once('error', done).once('close', done)
    socket.once('connect', () => {
      connected = true
      socket.write(question)
    })
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]).subarray(0, PROBE_BYTES)
      if (answer.length >= 2 && (answer[0] === 5 || answer.length >= 16)) done()
    })
  })
}
