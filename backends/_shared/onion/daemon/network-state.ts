import type { Message } from '../control/reply.ts'
import { parseFields } from '../control/fields.ts'

/** How far the daemon is with joining the network, in its own words. */
export interface Bootstrap {
  readonly percent: number
  readonly tag: string
  readonly summary: string
}

/** Why joining stands still. */
export interface Obstacle {
  readonly kind: 'clock' | 'no-network' | 'blocked' | 'refused' | 'transport' | 'other'
  readonly message: string
  /** What the user can do. */
  readonly advice: string
}

/** Clocks that differ by less do no harm (the daemon itself warns only above). */
const CLOCK_HARM_S = 60

/** What `STATUS_CLIENT` and `NETWORK_LIVENESS` events, and the answers to `GETINFO`, say of the daemon's connection to its network. Pure. */
export class NetworkState {
  bootstrap: Bootstrap = { percent: 0, tag: 'starting', summary: 'Starting' }
  obstacle: Obstacle | undefined
  circuitEstablished = false
  /** Undefined = the daemon has not said yet. */
  live: boolean | undefined

  /** Whether streams can be opened. */
  get up(): boolean {
    return this.bootstrap.percent === 100 && this.live !== false
  }

  /** Takes an event; true when something changed. */
  apply({ lines }: Message): boolean {
    const { words, pairs } = parseFields(lines[0].text)
    const [kind, ...rest] = words
    const before = JSON.stringify([this.bootstrap, this.obstacle, this.circuitEstablished, this.live])
    if (kind === 'STATUS_CLIENT' || kind === 'STATUS_GENERAL') this.#status(rest[1] ?? '', rest[0] ?? '', pairs)
    else if (kind === 'NETWORK_LIVENESS') this.live = rest[0] === 'UP'
    return JSON.stringify([this.bootstrap, this.obstacle, this.circuitEstablished, this.live]) !== before
  }

  /** Takes the value of `GETINFO status/bootstrap-phase`. */
  applyPhase(value: string): void {
    const { words, pairs } = parseFields(value)
    this.#status(words[1] ?? '', words[0] ?? '', pairs)
  }

  #status(action: string, severity: string, pairs: Readonly<Record<string, string>>): void {
    switch (action) {
      case 'BOOTSTRAP':
        this.#bootstrap(severity, pairs)
        break
      case 'CIRCUIT_ESTABLISHED':
        this.circuitEstablished = true
        this.obstacle = undefined
        break
      case 'CIRCUIT_NOT_ESTABLISHED':
        this.circuitEstablished = false
        if (pairs['REASON'] === 'CLOCK_JUMPED') this.obstacle = undefined
        break
      case 'CLOCK_SKEW':
        this.obstacle = clockObstacle(Number(pairs['SKEW'] ?? Number.NaN)) ?? this.obstacle
        break
      default:
    }
  }

  #bootstrap(severity: string, pairs: Readonly<Record<string, string>>): void {
    const percent = Math.min(100, Math.max(0, Math.trunc(Number(pairs['PROGRESS'] ?? 0)) || 0))
    const moved = percent > this.bootstrap.percent
    this.bootstrap = { percent, tag: pairs['TAG'] ?? '', summary: (pairs['SUMMARY'] ?? '').slice(0, 200) }
    if (percent === 100) this.circuitEstablished = true
    if (severity === 'WARN') this.obstacle = this.obstacle?.kind === 'clock' ? this.obstacle : bootstrapObstacle(pairs)
    else if (moved) this.obstacle = undefined
  }
}

/** A positive skew says that our clock is ahead (control-spec section 4.1.10). */
function clockObstacle(skewSeconds: number): Obstacle | undefined {
  if (Math.abs(skewSeconds) < CLOCK_HARM_S) return undefined
  const by = Number.isNaN(skewSeconds) ? '' : ` by ${duration(Math.abs(skewSeconds))}`
  const direction = Number.isNaN(skewSeconds) ? 'wrong' : skewSeconds > 0 ? 'ahead' : 'behind'
  return {
    kind: 'clock',
    message: `The clock of this machine is ${direction}${by}, as the network sees it.`,
    advice: 'Set the clock, date and time zone right; Beam goes on by itself.',
  }
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} seconds`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} hours` : `${Math.round(seconds / 86_400)} days`
}

const USE_BRIDGE = 'Where the network is blocked, use a bridge: --bridge, or bridges in the configuration.'

function bootstrapObstacle(pairs: Readonly<Record<string, string>>): Obstacle {
  const warning = (pairs['WARNING'] ?? '').slice(0, 200)
  const tail = warning === '' ? '' : ` (${warning})`
  switch (pairs['REASON']) {
    case 'NOROUTE':
      return {
        kind: 'no-network',
        message: `This machine has no way to the Internet${tail}.`,
        advice: 'Look at the network connection; Beam goes on by itself.',
      }
    case 'CONNECTREFUSED':
      return {
        kind: 'refused',
        message: `The first relays refuse the connection${tail}.`,
        advice: `A firewall may stand between. ${USE_BRIDGE}`,
      }
    case 'DONE':
    case 'TLS_ERROR':
    case 'TLS_MISMATCH':
      // With a clock that is days ahead, the certificates of all relays count as expired, and that is all that is seen of it.
      return {
        kind: 'blocked',
        message: `The first relays end the connection${tail}.`,
        advice: `The clock of this machine may be wrong: check date, time and time zone. ${USE_BRIDGE}`,
      }
    case 'TIMEOUT':
    case 'CONNECTRESET':
    case 'IOERROR':
      return {
        kind: 'blocked',
        message: `The first relays do not answer${tail}.`,
        advice: `The connection may be slow, or the network blocked. ${USE_BRIDGE}`,
      }
    case 'PT_MISSING':
      return {
        kind: 'transport',
        message: `The program of a pluggable transport did not start${tail}.`,
        advice: 'Check transports in the configuration.',
      }
    case 'IDENTITY':
      return {
        kind: 'other',
        message: `A relay is not the one it should be${tail}.`,
        advice: 'Check the bridge lines; somebody may stand in between.',
      }
    default:
      return { kind: 'other', message: `Joining the network does not go on${tail || '.'}`, advice: USE_BRIDGE }
  }
}
