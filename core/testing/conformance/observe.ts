import { createHook } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket as UdpSocket } from 'node:dgram'
import { isIP, type Socket } from 'node:net'

/** What was seen to leave the two ends of a tunnel. */
export interface Observation {
  /** Connections from one end to the other, past the network. */
  readonly directConnections: readonly string[]
  /** Names that were asked of the DNS. */
  readonly lookups: readonly string[]
}

/** Watches both ends from its making until `stop`. */
export interface Observer {
  stop(): Observation | Promise<Observation>
}

interface Destination {
  readonly address?: string
  readonly hostname?: string
  readonly port?: number
}

/**
 * Watches this process, in which both ends run: a connect or datagram to a port at which this process itself listens, other than the
 * local services of the test, is a direct connection. It hears of them from Node's async hooks and diagnostics channels, whoever
 * opens them; what a daemon or native code does is out of its sight.
 */
export class ProcessObserver implements Observer {
  readonly #requests: Array<{ readonly type: string; readonly destination: Destination }> = []
  readonly #acceptedPorts = new Set<number>()
  readonly #udpSockets: UdpSocket[] = []
  readonly #udpPorts = new Set<number>()
  readonly #servicePorts: () => ReadonlySet<number>
  readonly #hook = createHook({
    init: (_id, type, _trigger, resource) => {
      // Node fills in address, port and host name after this call, so the object is kept.
      if (WATCHED.has(type)) this.#requests.push({ type, destination: resource as Destination })
      // A UDP port is free again after close; it is noted while the socket is open.
      if (type === 'UDPSENDWRAP') this.#noteUdpPorts()
    },
  })
  readonly #onAccepted = (message: unknown): void => {
    const { localPort } = (message as { socket: Socket }).socket
    if (localPort !== undefined) this.#acceptedPorts.add(localPort)
  }
  readonly #onUdpSocket = (message: unknown): void => {
    this.#udpSockets.push((message as { socket: UdpSocket }).socket)
  }

  /** @param servicePorts the ports of the test's own local services, asked for at the end. */
  constructor(servicePorts: () => ReadonlySet<number>) {
    this.#servicePorts = servicePorts
    this.#hook.enable()
    subscribe('net.server.socket', this.#onAccepted)
    subscribe('udp.socket', this.#onUdpSocket)
  }

  stop(): Observation {
    this.#hook.disable()
    unsubscribe('net.server.socket', this.#onAccepted)
    unsubscribe('udp.socket', this.#onUdpSocket)
    this.#noteUdpPorts()
    const services = this.#servicePorts()
    const directConnections = this.#requests.flatMap(({ type, destination: { address, port } }) => {
      if (port === undefined) return []
      const here = type === 'UDPSENDWRAP' ? this.#udpPorts.has(port) : this.#acceptedPorts.has(port) && !services.has(port)
      return here ? [`${type === 'UDPSENDWRAP' ? 'udp' : 'tcp'} ${address ?? ''}:${port}`] : []
    })
    const lookups = this.#requests.flatMap(({ type, destination: { hostname } }) =>
      (type === 'GETADDRINFOREQWRAP' || type === 'QUERYWRAP') && hostname !== undefined && needsDns(hostname) ? [hostname] : [],
    )
    return { directConnections, lookups }
  }

  #noteUdpPorts(): void {
    for (const socket of this.#udpSockets) {
      try {
        this.#udpPorts.add(socket.address().port)
      } catch {
        // Not bound, or closed: it has no port.
      }
    }
  }
}

const WATCHED: ReadonlySet<string> = new Set(['TCPCONNECTWRAP', 'UDPSENDWRAP', 'GETADDRINFOREQWRAP', 'QUERYWRAP'])

/** `localhost` and literal addresses never reach a name server (RFC 6761 section 6.3). */
function needsDns(hostname: string): boolean {
  return isIP(hostname) === 0 && !/(^|\.)localhost\.?$/i.test(hostname)
}
