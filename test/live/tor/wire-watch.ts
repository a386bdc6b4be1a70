import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { BeamProcess } from '../../cli/beam-process.ts'
import { daemonsOf } from './onion-scene.ts'
import { socketsOf, type OpenSocket } from './sockets.ts'

/** Every datagram, and the first packet of every TCP connection. */
const FILTER = 'udp or (tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn)'

/** Beam as users have it: nothing of the tests' settings keeps it from the network. */
export const AS_USERS_HAVE_IT = {
  NODE_OPTIONS: undefined,
  BEAM_P2P_BOOTSTRAP: undefined,
  BEAM_P2P_MDNS: undefined,
  BEAM_P2P_PORTMAP: undefined,
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
