import type { PublishEvent } from '../../core/tunnels/events.ts'
import type { Lifetime } from '../lifetime.ts'
import { openLocal, openPublisher, type CarrierFlags } from '../open-publisher.ts'
import type { Declaration } from './declared.ts'
import { fingerprint, watchContent } from './watch-file.ts'
import { WatchSession } from './watch-session.ts'

/** What `beam up --watch` works with. */
export interface WatchUp {
  readonly flags: CarrierFlags
  readonly file: string
  /** Reads the file. Errors as `loadConfig`. */
  readonly load: () => Promise<Declaration>
  readonly onEvent: (event: PublishEvent) => void
  readonly onFailure: (name: string, error: unknown) => void
  /** Told of a content of the file that cannot be used: what runs goes on. */
  readonly onProblem: (error: unknown) => void
  /** Told that a new content is in force. */
  readonly onApplied: () => void
  readonly lifetime: Lifetime
}

/** Publishes what the file declares, and what it declares after each change, until somebody ends it. */
export async function watchUp({ flags, file, load, onEvent, onFailure, onProblem, onApplied, lifetime }: WatchUp): Promise<void> {
  const known = await fingerprint(file)
  const first = await load()
  const open = async (lost: boolean) => (lost ? openLocal(flags) : (await openPublisher(flags, onEvent)).publisher)
  await using session = new WatchSession({ open, onEvent, lifetime, onFailure })
  const change = async (): Promise<void> => {
    try {
      await session.apply(await load())
      if (!lifetime.signal.aborted) onApplied()
    } catch (error) {
      onProblem(error)
    }
  }
  await session.apply(first)
  const unwatch = watchContent(file, known ?? '', () => void change())
  // What is watched does not keep the process alive, and a file may declare nothing for a while.
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    await Promise.race([session.ended, lifetime.ended()])
  } finally {
    clearInterval(alive)
    unwatch()
  }
}
