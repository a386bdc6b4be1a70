/** The part of multicast-dns 7 that Beam uses; the package has no types of its own. */
declare module 'multicast-dns' {
  import type { Socket } from 'node:dgram'
  import type { EventEmitter } from 'node:events'

  namespace multicastDns {
    interface Question {
      readonly name: string
      readonly type: string
      /** `UNKNOWN_32769` is a question of class IN that asks for a unicast answer (RFC 6762 section 5.4). */
      readonly class?: string
    }

    interface Answer {
      readonly name: string
      readonly type: string
      /** Seconds. */
      readonly ttl?: number
      /** Whether the sender is the only one who answers for this name (RFC 6762 section 10.2). */
      readonly flush?: boolean
      readonly data: unknown
    }

    interface Packet {
      readonly type?: 'query' | 'response'
      readonly questions?: readonly Question[]
      readonly answers?: readonly Answer[]
      readonly additionals?: readonly Answer[]
    }

    interface Sender {
      readonly address: string
      readonly port: number
    }

    interface Options {
      readonly socket?: Socket
      readonly multicast?: boolean
      readonly bind?: string | false
      readonly port?: number
    }

    interface MulticastDns extends EventEmitter {
      send(packet: Packet, callback: (error?: Error | null) => void): void
      response(packet: Packet, callback: (error?: Error | null) => void): void
      query(packet: Packet, callback: (error?: Error | null) => void): void
      destroy(callback?: () => void): void
    }
  }

  function multicastDns(options?: multicastDns.Options): multicastDns.MulticastDns
  export = multicastDns
}
