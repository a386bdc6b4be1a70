import type { Duplex } from 'node:stream'
import type { NetworkBackend } from '../backend.ts'
import type { DialOptions, Dialler, Path } from '../powers.ts'
import type { Clock } from '../clock.ts'
import { isBeamError } from '../errors.ts'
import type { DiallerHandle } from './resolve-target.ts'
import { within } from './within.ts'

/** Building a circuit and fetching a descriptor takes up to a minute on the slower networks; two cover a second attempt by the network itself. */
const REACH_LIMIT_MS = 120_000
/** A stream on a path that is built already is quick; a path that has to be built anew is not. */
const DIAL_LIMIT_MS = 60_000

/** Where to and how. */
export interface DialTarget extends DialOptions {
  readonly handle: DiallerHandle
  readonly address: string
  readonly clock?: Clock
}

/** Reaches an address end to end, within two minutes. */
export function reach(target: DialTarget): Promise<Path> {
  return limited(target, REACH_LIMIT_MS, (backend, options) => backend.reach(target.address, options))
}

/** Opens one stream to the service behind an address, within a minute. A link that just broke is tried once more. */
export async function openStream(target: DialTarget): Promise<Duplex> {
  try {
    return await dialOnce(target)
  } catch (error) {
    if (isBeamError(error) && error.code === 'BEAM_ERR_LINK_CLOSED') return dialOnce(target)
    throw error
  }
}

/**
 * One dial. It is made for every connection, and most are done at once on a path that is up: so it has no signal of its own, and a stream
 * that comes too late is given back.
 */
async function dialOnce({ handle, address, clock, onProgress, ...options }: DialTarget): Promise<Duplex> {
  options.signal?.throwIfAborted()
  const backend = (await handle.ready({
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  })) as NetworkBackend & Dialler
  return within(backend.dial(address, options), {
    ms: DIAL_LIMIT_MS,
    what: `Reaching the service through ${handle.name}`,
    signal: options.signal,
    onLate: (late) => late.destroy(),
    ...(clock === undefined ? {} : { clock }),
  })
}

/** Calls the backend with a signal of its own, which also fires when the time is up, and does not wait for a backend that ignores it. */
async function limited<T>(
  { handle, address, clock, signal, onProgress, ...options }: DialTarget,
  ms: number,
  call: (backend: NetworkBackend & Dialler, options: DialOptions) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const work = async (): Promise<T> => {
    const backend = await handle.ready({ signal: controller.signal, ...(onProgress === undefined ? {} : { onProgress }) })
    return call(backend as NetworkBackend & Dialler, {
      ...options,
      signal: controller.signal,
      ...(onProgress === undefined ? {} : { onProgress }),
    })
  }
  try {
    const what = `Reaching the service through ${handle.name}`
    return await within(work(), {
      ms,
      what,
      signal,
      ...(clock === undefined ? {} : { clock }),
    })
  } catch (error) {
    controller.abort(error)
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}
