import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { BeamProcess } from '../../cli/beam-process.ts'
import { daemonsOf } from './onion-scene.ts'
import { packetsSent, socketsOf, type OpenSocket } from './sockets.ts'

/** Every datagram, and the first packet of every TCP connection. */
const FILTER = 'udp or (tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn)'

/** The capture writes what it sees within this time. */
const SIGHT_MS = 10_000

/** Beam as users have it: nothing of the tests' settings keeps it from the network. */
export const AS_USERS_HAVE_IT = {
  NODE_OPTIONS: undefined,
  BEAM_P2P_BOOTSTRAP: undefined,
  BEAM_P2P_MDNS: undefined,
  BEAM_P2P_PORTMAP: undefined,
}

/** A file of tests that lets Beam run as users have it must be in a namespace of its own, or Beam would reach the public network. */
export function assertNamespace(): void {
  if (Object.keys(networkInterfaces()).join() !== 'lo') throw new Error('this is no namespace of its own: there is more than loopback')
}

/** Where a packet went. */
export interface Destination {
  readonly host: string
  readonly port: number
  readonly protocol: string
}

/** Watches what `beam` processes and everybody else in this namespace send: by a packet capture, and by their open sockets. */
export class WireWatch implements AsyncDisposable {
  readonly #capture: ChildProcess
  readonly #beams = new Set<BeamProcess>()
  readonly #timer: NodeJS.Timeout
  #captured = ''
  /** Sockets that processes of Beam had. */
  readonly seen: OpenSocket[] = []
  /** Ports on which their daemons listened. */
  readonly daemonPorts = new Set<number>()

  private constructor(tcpdump: string) {
    this.#capture = spawn(tcpdump, ['-i', 'any', '-n', '-l', '-q', '--immediate-mode', '-Z', 'root', FILTER], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#capture.stdout!.setEncoding('latin1').on('data', (text: string) => (this.#captured += text))
    this.#timer = setInterval(() => this.#look(), 50)
  }

  static async start(tcpdump: string): Promise<WireWatch> {
    const watch = new WireWatch(tcpdump)
    await once(watch.#capture.stderr!, 'data')
    return watch
  }

  /** Watches a process from now on. */
  add(beam: BeamProcess): BeamProcess {
    this.#beams.add(beam)
    return beam
  }

  get destinations(): readonly Destination[] {
    return [...this.#captured.matchAll(/ > (\S+)\.(\d+): (\w+)/g)].map(([, host = '', port, protocol = '']) => ({
      host,
      port: Number(port),
      protocol,
    }))
  }

  /** Ends the processes that are watched, in order. */
  async endAll(): Promise<void> {
    for (const { child } of this.#beams) child.kill('SIGINT')
    await Promise.all([...this.#beams].map(({ ended }) => ended))
  }

  /** Whether a packet that takes the way out is seen, and counted once: without that, to have seen none would mean nothing. */
  async seesWayOut(): Promise<boolean> {
    const [before, sent] = [this.#captured.length, packetsSent('out0')]
    const program = `const s = require('node:dgram').createSocket('udp4'); s.send('x', 53, '198.51.100.1', () => s.close())`
    execFileSync(process.execPath, ['-e', program], { env: {} })
    if (packetsSent('out0') !== sent + 1) return false
    const seen = (): boolean => / > 198\.51\.100\.1\.53: UDP/.test(this.#captured.slice(before))
    for (const deadline = Date.now() + SIGHT_MS; !seen() && Date.now() < deadline;) await delay(20)
    return seen()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    const ended = once(this.#capture, 'exit')
    this.#capture.kill()
    await ended
  }

  #look(): void {
    for (const { child } of this.#beams) {
      this.seen.push(...socketsOf(child.pid))
      for (const daemon of daemonsOf(child.pid))
        for (const { listens, localPort } of socketsOf(daemon)) if (listens) this.daemonPorts.add(localPort)
    }
  }
}
