/** Moving a tunnel from one network to another: the new endpoint is up and reached before anything happens to the old one. */
import type { Clock } from '../clock.ts'
import { BackendUnavailableError, ConfigError } from '../errors.ts'
import type { BackendHandle } from './backend-handle.ts'
import { DEFAULT_DRAIN_MS, drainSentence } from './draining.ts'
import { planExposure, type ExposureCandidate, type ExposurePlan } from './exposure.ts'
import type { Leg } from './leg.ts'
import type { OpenStreams } from './open-streams.ts'

/** A day: whoever wants to wait longer need not migrate. */
const MAX_DRAIN_MS = 86_400_000
/** How long the new network may take: a cold start of the slowest ones, publishing included. Then the old one stays. */
const UP_LIMIT_MS = 720_000

/** A wish to move a tunnel. */
export interface Migration {
  /** The backend that carries it. */
  readonly from: string
  readonly to: BackendHandle
  /** How long open connections may go on over the old network, in milliseconds. Default: 30 s. */
  readonly drainMs?: number
  /** Consent that the tunnel moves from a network that hides the IP address to one that shows it, or uses both. */
  readonly allowExposure?: boolean
  /** Ends the attempt, until the old one is stopped: the new one is stopped then, and the old one stays as it is. */
  readonly signal?: AbortSignal
}

/**
 * Whether a migration is possible, and what the exposure policy says of the chain after it.
 * @throws ConfigError: no such backend, or one that carries the tunnel already; `BEAM_ERR_EXPOSURE`
 */
export function planMigration(
  chain: readonly ExposureCandidate[],
  { from, to, drainMs, allowExposure = false }: Migration,
  options: { readonly atOnce: boolean; readonly allowExposure: boolean },
): ExposurePlan {
  const names = chain.map(({ name }) => name)
  if (!names.includes(from)) {
    throw new ConfigError(`The tunnel does not use ${from}; it uses ${names.join(', ')}.`, { code: 'BEAM_ERR_USAGE' })
  }
  if (names.includes(to.name)) throw new ConfigError(`The tunnel uses ${to.name} already.`, { code: 'BEAM_ERR_USAGE' })
  if (drainMs !== undefined && !(drainMs >= 0 && drainMs <= MAX_DRAIN_MS)) {
    throw new ConfigError(`Connections may drain for 0 to ${MAX_DRAIN_MS / 1000} s.`, { code: 'BEAM_ERR_USAGE' })
  }
  const consent = { end: 'publisher', atOnce: options.atOnce, allowExposure: options.allowExposure || allowExposure } as const
  const step = planExposure(chain.filter(({ name }) => name === from).concat(to), { ...consent, atOnce: false })
  const after = planExposure(
    chain.map((one) => (one.name === from ? to : one)),
    consent,
  )
  if (!step.chain.includes(to.name) || !after.chain.includes(to.name)) {
    throw new ConfigError(`${to.name} would show the IP address that the tunnel's networks hide.`, {
      code: 'BEAM_ERR_EXPOSURE',
      hint: 'If that is meant: --allow-exposure.',
    })
  }
  return after
}

/** What a migration works with. */
export interface MigrationParts {
  readonly old: Leg
  readonly next: Leg
  /** The streams of the old leg; undefined where the network's daemon connects to the service itself and nobody can count. */
  readonly streams: OpenStreams | undefined
  readonly clock: Clock
  /** Hears of every change of the new leg until the returned function is called. */
  readonly onChange: (listener: () => void) => () => void
  /** Why the new leg could not be started, as far as is known. */
  readonly failure: () => unknown
  /** Puts the new leg in the place of the old one: records and strategy see it from now on. */
  readonly commit: () => void
  /** Undoes that. */
  readonly revert: () => void
  readonly onProgress: (phase: string, message: string) => void
}

/** Brings the new leg up, commits, drains and stops the old leg. When anything fails or the signal fires, the old leg is as it was. */
export async function migrate(parts: MigrationParts, { drainMs = DEFAULT_DRAIN_MS, signal }: Migration): Promise<void> {
  const { old, next, commit, revert } = parts
  signal?.throwIfAborted()
  let committed = false
  try {
    next.start()
    await isUp(parts, signal)
    commit()
    committed = true
    await drained(parts, drainMs, signal)
  } catch (error) {
    if (committed) revert()
    await next.stop()
    throw error
  }
  await old.stop()
}

function isUp({ next, clock, onChange, failure }: MigrationParts, signal: AbortSignal | undefined): Promise<void> {
  return waitFor(onChange, signal, (done, fail) => {
    const look = (): void => {
      const { state } = next.view()
      if (state === 'up') done()
      else if (state === 'failed') fail(failure())
    }
    const cancel = clock.after(UP_LIMIT_MS, () =>
      fail(new BackendUnavailableError(`${next.name} did not take the tunnel within ${UP_LIMIT_MS / 60_000} minutes.`)),
    )
    return { look, cancel }
  })
}

function drained(parts: MigrationParts, drainMs: number, signal: AbortSignal | undefined): Promise<void> {
  const { old, streams, clock, onProgress } = parts
  onProgress('drain', drainSentence(old.name, streams, drainMs))
  return waitFor(
    (listener) => streams?.onClosed(listener) ?? (() => {}),
    signal,
    (done) => ({
      look: () => {
        if (streams?.count === 0) done()
      },
      cancel: clock.after(drainMs, done),
    }),
  )
}

/** Waits for a condition that is looked at now and whenever something is heard; the signal ends it with its reason. */
function waitFor(
  listen: (listener: () => void) => () => void,
  signal: AbortSignal | undefined,
  condition: (done: () => void, fail: (reason: unknown) => void) => { readonly look: () => void; readonly cancel: () => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let undo = (): void => {}
    const settle = (end: () => void): void => {
      undo()
      end()
    }
    const { look, cancel } = condition(
      () => settle(resolve),
      (reason) => settle(() => reject(reason)),
    )
    const onAbort = (): void => settle(() => reject(signal?.reason))
    const unlisten = listen(look)
    undo = () => {
      cancel()
      unlisten()
      signal?.removeEventListener('abort', onAbort)
    }
    if (signal?.aborted === true) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    look()
  })
}
