import { allFailed, type BeamError, type Contact } from '../../core/index.ts'
import { DIAL_STAGGER_MS, MAX_CONTACTS, PUNCH_DELAY_MS, RELAY_DELAY_MS } from './constants.ts'

/** How one contact is dialled. */
export type DialContact<T> = (contact: Contact, signal: AbortSignal) => Promise<T>

/**
 * Dials contacts as they are found, the next one beside the last when that takes long (RFC 8305), and keeps the first that works: the
 * others are broken off, and `discard` ends those that worked too. Rejects when all failed and no more come.
 */
export async function raceContacts<T>(
  found: AsyncIterable<Contact>,
  dial: DialContact<T>,
  options: {
    readonly signal: AbortSignal
    readonly discard: (loser: T) => void
    readonly nothing: () => BeamError
    /** The head start of direct ways. Default: `RELAY_DELAY_MS`. */
    readonly relayDelayMs?: number
  },
): Promise<T> {
  const { signal, discard, nothing, relayDelayMs = RELAY_DELAY_MS } = options
  signal.throwIfAborted()
  const race = new AbortController()
  const failures: unknown[] = []
  const seen = new Set<string>()
  let winner: T | undefined
  let won = false
  let exhausted = false
  let running = 0
  let nextStart = 0

  return new Promise<T>((resolve, reject) => {
    const timers = new Set<NodeJS.Timeout>()
    const onAbort = (): void => finish(() => reject(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })

    function finish(settle: () => void): void {
      signal.removeEventListener('abort', onAbort)
      for (const timer of timers) clearTimeout(timer)
      settle()
      race.abort(new Error('another way was quicker'))
    }
    function lost(): void {
      if (won || signal.aborted || !exhausted || running > 0 || timers.size > 0) return
      finish(() => reject(failures.length === 0 ? nothing() : failureOf(failures)))
    }
    async function attempt(contact: Contact): Promise<void> {
      running++
      try {
        const result = await dial(contact, race.signal)
        if (won || signal.aborted) {
          discard(result)
          return
        }
        won = true
        winner = result
        finish(() => resolve(winner as T))
      } catch (error) {
        if (!race.signal.aborted) failures.push(error)
      } finally {
        running--
        lost()
      }
    }
    function schedule(contact: Contact): void {
      const now = performance.now()
      const start = contact.kind === 'tcp' ? Math.max(now, nextStart) : now + (contact.kind === 'relay' ? relayDelayMs : PUNCH_DELAY_MS)
      if (contact.kind === 'tcp') nextStart = start + DIAL_STAGGER_MS
      const timer = setTimeout(() => {
        timers.delete(timer)
        void attempt(contact)
      }, start - now)
      timers.add(timer)
    }
    async function gather(): Promise<void> {
      try {
        for await (const contact of found) {
          const id = contact.kind === 'stream' ? contact.label : `${contact.kind} ${contact.host} ${contact.port}`
          if (won || seen.size >= MAX_CONTACTS) break
          if (seen.has(id)) continue
          seen.add(id)
          schedule(contact)
        }
      } catch (error) {
        failures.push(error)
      }
      exhausted = true
      lost()
    }
    void gather()
  })
}

function failureOf(failures: readonly unknown[]): unknown {
  return failures.length === 1 ? failures[0] : allFailed(`None of ${failures.length} ways to the publisher works.`, failures)
}
