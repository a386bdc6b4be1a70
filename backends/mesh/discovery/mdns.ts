import type multicastDns from 'multicast-dns'
import {
  systemClock,
  type Announced,
  type Announcement,
  type AnnouncementState,
  type Clock,
  type Discovery,
  type DiscoveryStatus,
  type Found,
} from '../../../core/index.ts'
import { answers, type Sink } from './answers.ts'
import { claimRecordName, claimText, parseClaimText, parseServiceText, serviceRecordName, serviceText } from './mdns-names.ts'
import { answerQuestions } from './mdns-responder.ts'
import type { MdnsSocket } from './mdns-socket.ts'

/** What discovery on the local network needs. */
export interface MdnsDiscoveryOptions {
  /** The multicast socket of this process; it may be shared. */
  readonly socket: MdnsSocket
  readonly clock?: Clock
}

/** RFC 6762 section 10: 120 s for records that depend on a host's address. */
const TTL_SECONDS = 120
/** When a question is asked (again): multicast over Wi-Fi is lost now and then, and a responder may be silent for a second. */
const ASK_AT_MS = [0, 1_000, 3_000]
/** When waiting for answers ends: a second after the last question, which is as long as a responder may take. */
const LISTEN_MS = 4_100
/** A publisher has a few interfaces; more answers come from somebody who makes them up. */
const MAX_FOUND = 16
const MAX_CLAIMANTS = 64
/** How long a goodbye may take. */
const GOODBYE_MS = 500

/** Discovery on the local network by multicast DNS (RFC 6762). docs/discovery.md says what others on the network see. */
export function mdnsDiscovery(options: MdnsDiscoveryOptions): Discovery {
  return new MdnsDiscovery(options)
}

class MdnsDiscovery implements Discovery {
  readonly name = 'mdns'
  readonly #socket: MdnsSocket
  readonly #clock: Clock
  readonly #announced = new Set<Announced>()
  readonly #closing = new AbortController()

  constructor({ socket, clock = systemClock }: MdnsDiscoveryOptions) {
    this.#socket = socket
    this.#clock = clock
  }

  announce(announcement: Announcement, onState?: (state: AnnouncementState, reason: string) => void): Announced {
    const socket = this.#socket
    const responders = recordsOf(announcement).map((record) => ({
      record,
      responder: answerQuestions(socket, { name: record.name, types: ['TXT'], answers: () => [record] }, this.#clock),
    }))
    let state: AnnouncementState = 'pending'
    let stopped = false
    const observe = (): void => {
      const status = socket.status()
      const next = status.state === 'ready' ? 'announced' : status.state === 'starting' ? state : 'failed'
      if (stopped || next === state) return
      state = next
      onState?.(state, status.detail ?? (next === 'announced' ? 'the local network can ask for it' : 'multicast is switched off'))
    }
    const forget = socket.onState(observe)
    queueMicrotask(observe)
    const announced: Announced = {
      // Records are too large for multicast to everybody; the link hands them over.
      update: () => {},
      get state() {
        return state
      },
      stop: async () => {
        if (stopped) return
        stopped = true
        this.#announced.delete(announced)
        forget()
        // Only of what somebody was told: a service that nobody asked for stays unseen to the end.
        await this.#sayGoodbye(responders.flatMap(({ record, responder }) => (responder.answered ? [record] : [])))
        for (const { responder } of responders) responder.end()
      },
    }
    this.#announced.add(announced)
    return announced
  }

  find(serviceKey: Uint8Array, { signal }: { readonly signal: AbortSignal }): AsyncIterable<Found> {
    const seen = new Set<number | string>()
    return this.#ask(serviceRecordName(serviceKey), signal, MAX_FOUND, (data, { address }, sink: Sink<Found>) => {
      const port = parseServiceText(data)
      if (port === undefined || seen.has(`${address}:${port}`)) return
      seen.add(`${address}:${port}`)
      sink.push({ source: this.name, contacts: [{ kind: 'tcp', host: address, port }] })
    })
  }

  claimants(name: string, { signal }: { readonly signal: AbortSignal }): AsyncIterable<Uint8Array> {
    const seen = new Set<string>()
    return this.#ask(claimRecordName(name), signal, MAX_CLAIMANTS, (data, _, sink: Sink<Uint8Array>) => {
      const key = parseClaimText(data)
      const text = key === undefined ? undefined : Buffer.from(key).toString('hex')
      if (key === undefined || text === undefined || seen.has(text)) return
      seen.add(text)
      sink.push(key)
    })
  }

  status(): DiscoveryStatus {
    return this.#socket.status()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#announced].map((announced) => announced.stop()))
  }

  #ask<T>(
    name: string,
    signal: AbortSignal,
    limit: number,
    onAnswer: (data: unknown, sender: multicastDns.Sender, sink: Sink<T>) => void,
  ): AsyncIterable<T> {
    const socket = this.#socket
    return answers<T>({ signal: AbortSignal.any([signal, this.#closing.signal]), limit }, (sink) => {
      const unuse = socket.use(({ type, answers: list = [] }, sender) => {
        if (type !== 'response') return
        for (const answer of list) {
          if (answer.type === 'TXT' && answer.ttl !== 0 && answer.name.toLowerCase() === name) onAnswer(answer.data, sender, sink)
        }
      })
      const ask = (): void => void socket.send({ type: 'query', questions: [{ name, type: 'TXT' }] })
      const cancels = [
        ...ASK_AT_MS.map((ms) => this.#clock.after(ms, ask, { unref: true })),
        // Somebody waits for answers: the only timer here that keeps the process alive.
        this.#clock.after(LISTEN_MS, sink.end),
        // The socket opens with the first user: the question goes out when it is open, and the search ends when it cannot be.
        socket.onState(() => {
          const { state } = socket.status()
          if (state === 'ready') ask()
          else if (state === 'unreachable') sink.end()
        }),
      ]
      if (socket.status().state === 'off' || socket.status().state === 'unreachable') sink.end()
      return () => {
        for (const cancel of cancels) cancel()
        unuse()
      }
    })
  }

  /** RFC 6762 section 10.1: a record with a time to live of 0, so that nobody waits for what is gone. */
  async #sayGoodbye(records: readonly multicastDns.Answer[]): Promise<void> {
    if (records.length === 0 || this.#socket.status().state !== 'ready') return
    const sent = this.#socket.send({ type: 'response', answers: records.map((record) => ({ ...record, ttl: 0 })) })
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(GOODBYE_MS, resolve, { unref: true })
      void sent.then(() => {
        cancel()
        resolve()
      })
    })
  }
}

function recordsOf({ serviceKey, port, domain }: Announcement): multicastDns.Answer[] {
  const service: multicastDns.Answer = { name: serviceRecordName(serviceKey), type: 'TXT', ttl: TTL_SECONDS, data: serviceText(port) }
  if (domain === undefined) return [service]
  return [service, { name: claimRecordName(domain), type: 'TXT', ttl: TTL_SECONDS, data: claimText(serviceKey) }]
}
