/** Which backends can do what is asked of a tunnel, apart from what they reveal (exposure.ts). Pure. */
import type { AccessPolicy } from '../backend.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import { UnsupportedError } from '../errors.ts'
import type { ExposurePlan } from './exposure.ts'

/** Something to be said about a backend before the tunnel starts. */
export interface Note {
  readonly backend: string
  readonly code: string
  readonly message: string
}

/** A backend, as far as its abilities are concerned. */
interface Able {
  readonly name: string
  readonly capabilities: BackendCapabilities
}

/** What is asked for. */
interface Wishes<Backend extends Able> {
  readonly chain: readonly Backend[]
  readonly access?: AccessPolicy | undefined
  readonly domain?: string | undefined
}

/**
 * The backends of a chain that can carry a tunnel. One that cannot keep visitors out is left out when the publisher wants that;
 * one without domains is used, and said to ignore the domain.
 * @throws UnsupportedError when none is left.
 */
export function suitable<Backend extends Able>({
  chain,
  access,
  domain,
}: Wishes<Backend>): { readonly able: readonly Backend[]; readonly notes: readonly Note[] } {
  if (chain.length === 0) throw new UnsupportedError('There is no backend to publish on.', { hint: 'Enable or name one.' })
  const restricted = restrictsAccess(access)
  const able = chain.filter(({ capabilities }) => !restricted || capabilities.accessControl)
  if (able.length === 0) {
    throw new UnsupportedError(`${chain.map(({ name }) => name).join(', ')} cannot restrict who connects.`, {
      hint: 'Use a backend that can, or leave the visitor keys and the secret out.',
    })
  }
  const notes: Note[] = []
  for (const handle of chain) {
    const backend = handle.name
    if (!able.includes(handle)) {
      notes.push({ backend, code: 'BEAM_WARN_ACCESS', message: `${backend} is not used: it cannot restrict who connects.` })
    } else if (domain !== undefined && !handle.capabilities.supportsDomains) {
      notes.push({ backend, code: 'BEAM_WARN_DOMAIN', message: `${backend} has no domains; ${domain} does not lead to it.` })
    }
  }
  return { able, notes }
}

/** What is to be said about the backends that the exposure policy leaves out. */
export function leftOutNotes({ leftOut }: Pick<ExposurePlan, 'leftOut'>): readonly Note[] {
  return leftOut.map(({ backend, reason }) => ({ backend, code: 'BEAM_WARN_EXPOSURE', message: `${backend} is not used: ${reason}.` }))
}

/** Who can reach a tunnel, in one sentence. Addresses are no secrets: directories of some networks see them. */
export function accessSentence(access: AccessPolicy | undefined): string {
  const keys = access?.allow?.length ?? 0
  const who = keys === 1 ? 'the holder of one visitor key' : `the holders of ${keys} visitor keys`
  if (keys > 0) return `Only ${who}${access?.secret === undefined ? '' : ', if they know the secret word,'} can reach it.`
  if (access?.secret !== undefined) return 'Only visitors who know the secret word can reach it.'
  return 'Anybody who has the address can reach it, and an address is no secret.'
}

function restrictsAccess(access: AccessPolicy | undefined): boolean {
  return access !== undefined && ((access.allow?.length ?? 0) > 0 || access.secret !== undefined)
}
