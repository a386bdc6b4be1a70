import { formatBeamAddress } from '../identity/address.ts'
import { KEY_BYTES } from '../identity/identity.ts'
import { UnreachableError } from '../errors.ts'

/** Addresses that one error lists: a name can be flooded with claims. */
const MAX_LISTED = 8

/** Which key a name stands for, and why. */
export interface NameVerdict {
  readonly key: Uint8Array
  /** `pinned`: the key that was accepted before. `first-use`: the only claimant of a name that is new here; nobody has verified it. */
  readonly verified: 'pinned' | 'first-use'
  /** Keys that claim the name too, in the order of their bytes. */
  readonly others: readonly Uint8Array[]
}

/**
 * Decides which of the keys that claim a name it stands for. `claimants` are keys whose verified record names it; look the pinned key up by
 * itself too and pass it when its record does: a list of claims can be flooded until a key is no longer in it, a key's record cannot.
 *
 * Nothing is ever switched in silence. Without a pin, several claimants are refused and listed instead of chosen from: whatever rule chose
 * (the oldest, the first to answer, the lowest key), a stranger who announces the name could be made to win by it, and the visitor would
 * be connected to him. Refusing turns that theft into a nuisance, which the full address from the publisher ends.
 * @throws UnreachableError `BEAM_ERR_NOT_FOUND` when nobody claims the name; `BEAM_ERR_NAME_CONFLICT` when others do but the pinned key does
 *   not; `BEAM_ERR_NAME_AMBIGUOUS` when there is no pin and more than one claimant.
 */
export function judgeClaims(name: string, claimants: Iterable<Uint8Array>, pin: Uint8Array | undefined): NameVerdict {
  const keys = distinctKeys(claimants)
  const [first] = keys
  if (first === undefined) {
    throw new UnreachableError(`Nobody publishes ${name} as far as could be found out.`, {
      code: 'BEAM_ERR_NOT_FOUND',
      hint: 'Check the spelling, and whether the publisher runs with --domain. A new name takes some seconds to be known.',
    })
  }
  if (pin !== undefined) {
    const others = keys.filter((key) => !sameKey(key, pin))
    if (others.length < keys.length) return { key: pin, verified: 'pinned', others }
    throw new UnreachableError(
      `${name} is no longer published by ${formatBeamAddress(pin)}, the service accepted before. Others claim it: ${listed(keys)}.`,
      {
        code: 'BEAM_ERR_NAME_CONFLICT',
        retry: 'never',
        hint: 'Ask the publisher, by another way, for the full beam:// address. Only if it has really changed, forget the accepted key.',
      },
    )
  }
  if (keys.length > 1) {
    throw new UnreachableError(`${keys.length} services claim ${name}: ${listed(keys)}.`, {
      code: 'BEAM_ERR_NAME_AMBIGUOUS',
      retry: 'never',
      hint: 'Beam does not guess. Ask the publisher, by another way, for the full beam:// address and connect to that.',
    })
  }
  return { key: first, verified: 'first-use', others: [] }
}

function distinctKeys(keys: Iterable<Uint8Array>): readonly Uint8Array[] {
  const byText = new Map<string, Uint8Array>()
  for (const key of keys) if (key.length === KEY_BYTES) byText.set(Buffer.from(key).toString('hex'), key)
  return [...byText.values()].toSorted((a, b) => Buffer.compare(a, b))
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function listed(keys: readonly Uint8Array[]): string {
  const shown = keys.slice(0, MAX_LISTED).map((key) => formatBeamAddress(key))
  return keys.length > MAX_LISTED ? `${shown.join(', ')} and ${keys.length - MAX_LISTED} more` : shown.join(', ')
}
