import {
  decodeRecord,
  formatBeamAddress,
  judgeClaims,
  sleep,
  type Clock,
  type Discovery,
  type PinStore,
  type ResolutionContext,
} from '../../core/index.ts'
import { CLAIM_TIMEOUT_MS, CLAIM_WINDOW_MS, MAX_CLAIMANTS } from './constants.ts'
import { findContacts } from './find-contacts.ts'
import { meshName } from './mesh-name.ts'

/** What names are resolved with. */
export interface NamesOptions {
  readonly discovery: Discovery
  readonly pins: PinStore
  readonly clock: Clock
  /** The signed record that a publisher shows on a link. */
  readonly fetchRecord: (address: string, signal: AbortSignal) => Promise<Uint8Array>
}

/**
 * Resolves a name to an address. A name on the mesh is a claim that anybody can make: a claimant counts when its signed record says so,
 * the first accepted one is kept (trust on first use), and another is never taken in its place silently.
 * @throws UnreachableError (`BEAM_ERR_NOT_FOUND`, `BEAM_ERR_NAME_CONFLICT`)
 */
export async function resolveName(domain: string, context: ResolutionContext, options: NamesOptions): Promise<string> {
  const name = meshName(domain)
  const pin = await options.pins.lookup(name)
  const claimants = await verifiedClaimants(name, pin, context.signal, options)
  const verdict = judgeClaims(name, claimants, pin)
  await options.pins.accept(name, verdict.key)
  const address = formatBeamAddress(verdict.key)
  if (verdict.verified === 'first-use') {
    context.onWarning?.(
      'BEAM_WARN_NAME_UNVERIFIED',
      `${name} was resolved for the first time, to ${address}. Nobody vouches for that: compare the address with the publisher’s. It is remembered from now on.`,
    )
  }
  if (verdict.others.length > 0) {
    const others = verdict.others.map((key) => formatBeamAddress(key)).join(', ')
    context.onWarning?.('BEAM_WARN_NAME_CLAIMED', `Others claim ${name} too: ${others}`)
  }
  return address
}

/** The keys that claim a name now, as far as they show themselves in the time of a visit; nothing is remembered. */
export function claimantsOf(name: string, pin: Uint8Array | undefined, options: NamesOptions): Promise<readonly Uint8Array[]> {
  return verifiedClaimants(name, pin, undefined, { ...options, all: true })
}

/** The keys whose own record claims the name. The pinned key is asked even when no source lists it, and decides unless `all` are wanted. */
async function verifiedClaimants(
  name: string,
  pin: Uint8Array | undefined,
  outer: AbortSignal | undefined,
  options: NamesOptions & { readonly all?: boolean },
): Promise<readonly Uint8Array[]> {
  const enough = new AbortController()
  const limits = [enough.signal, AbortSignal.timeout(CLAIM_TIMEOUT_MS), ...(outer === undefined ? [] : [outer])]
  const signal = AbortSignal.any(limits)
  const verified: Uint8Array[] = []
  const checks: Array<Promise<void>> = []

  const check = async (key: Uint8Array): Promise<void> => {
    if (!(await claims(key, name, signal, options)) || verified.some((known) => Buffer.compare(known, key) === 0)) return
    verified.push(key)
    // The pinned key decides; without a pin others get a while to show themselves.
    if (options.all !== true && pin !== undefined && Buffer.compare(key, pin) === 0) enough.abort()
    else
      void sleep(CLAIM_WINDOW_MS, { signal, clock: options.clock }).then(
        () => enough.abort(),
        () => {},
      )
  }
  if (pin !== undefined) checks.push(check(pin))
  for await (const key of options.discovery.claimants(name, { signal })) {
    if (checks.length >= MAX_CLAIMANTS) break
    checks.push(check(key))
  }
  await Promise.all(checks)
  outer?.throwIfAborted()
  return verified
}

/** Whether the record of a key, from any source or from the publisher itself, claims the name. */
async function claims(key: Uint8Array, name: string, signal: AbortSignal, options: NamesOptions): Promise<boolean> {
  const { clock, discovery, fetchRecord } = options
  const answered = new AbortController()
  const either = AbortSignal.any([signal, answered.signal])
  const fromPublisher = async (): Promise<boolean> => {
    const record = decodeRecord(await fetchRecord(formatBeamAddress(key), either), { now: clock.now(), expectedKey: key })
    return record.name === name
  }
  const fromSources = async (): Promise<boolean> => {
    let claimed = false
    const onRecord = (record: { readonly name?: string; readonly tombstone: boolean }): void => {
      claimed ||= record.name === name && !record.tombstone
      if (claimed) answered.abort()
    }
    for await (const _contact of findContacts(discovery, key, { signal: either, now: clock.now, onRecord })) if (claimed) break
    return claimed
  }
  try {
    return await Promise.any(
      [fromPublisher(), fromSources()].map(async (answer) => ((await answer) ? true : Promise.reject(new Error('no claim')))),
    )
  } catch {
    return false
  } finally {
    answered.abort()
  }
}
