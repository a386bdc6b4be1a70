import type { NetworkBackend, ResolutionContext } from '../backend.ts'
import { isDialler, type Dialler } from '../powers.ts'
import { allFailed, ConfigError, isBeamError, UnsupportedError } from '../errors.ts'
import type { BackendHandle } from './backend-handle.ts'
import { planExposure } from './exposure.ts'
import { within } from './within.ts'

/** A name is looked up in directories that answer within seconds or not at all; a hiding network may take a minute. */
const RESOLVE_LIMIT_MS = 60_000
/** Labels of a domain name (RFC 1035 section 2.3.1, digits allowed by RFC 1123 section 2.1); at least two, at most 253 characters. */
const DOMAIN = /^(?=.{3,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/

/** A backend that may be asked, loaded when its turn comes. */
export interface Candidate {
  readonly name: string
  /** Whether names may be looked up on it: only on networks that the user enabled. */
  readonly resolves: boolean
  load(): Promise<BackendHandle>
}

/** A handle whose backend opens streams. */
export type DiallerHandle = BackendHandle & { readonly backend: NetworkBackend & Dialler }

/** Where an address leads. */
export interface Target {
  readonly handle: DiallerHandle
  /** What is to be dialled: the address itself, or what the name stands for. */
  readonly address: string
}

/** What a look-up may use. */
export interface ResolveOptions {
  readonly candidates: readonly Candidate[]
  readonly allowExposure?: boolean
  readonly signal?: AbortSignal
  /** Told what the visitor should know of the answer: {@link ResolutionContext}. */
  readonly onWarning?: ResolutionContext['onWarning']
}

/**
 * Finds the backend for what a visitor typed: the first that understands it as an address of its network; else, when it is a domain name,
 * the networks with domains are asked one after another. A name is never asked for on a network that shows the visitor's IP address after
 * one that hides it, unless that is allowed.
 * @throws ConfigError (`BEAM_ERR_ADDRESS_INVALID`), UnsupportedError, UnreachableError when nobody claims the name.
 */
export async function resolveTarget(text: string, options: ResolveOptions): Promise<Target> {
  const handles: Array<BackendHandle & { resolves: boolean }> = []
  const broken: unknown[] = []
  for (const { load, resolves } of options.candidates) {
    try {
      const handle = await load()
      if (dials(handle, text)) return { handle, address: text }
      handles.push({
        name: handle.name,
        capabilities: handle.capabilities,
        backend: handle.backend,
        ready: (to) => handle.ready(to),
        resolves,
      })
    } catch (error) {
      // One broken backend does not keep the others from understanding the address.
      broken.push(error)
    }
    options.signal?.throwIfAborted()
  }
  const domain = domainOf(text)
  if (domain === undefined) throw notUnderstood(text, options.candidates, broken)

  const named = handles.filter(({ resolves, capabilities }) => resolves && capabilities.supportsDomains)
  if (named.length === 0) {
    throw new UnsupportedError(`No enabled network has domains, so ${domain} cannot be looked up.`, {
      cause: new AggregateError(broken, 'backends that failed to load'),
    })
  }
  const { chain } = planExposure(named, { end: 'visitor', atOnce: false, allowExposure: options.allowExposure === true })
  return lookUp(
    domain,
    named.filter(({ name }) => chain.includes(name)),
    handles,
    options,
  )
}

async function lookUp(
  domain: string,
  asked: readonly BackendHandle[],
  all: readonly BackendHandle[],
  { signal, onWarning }: ResolveOptions,
): Promise<Target> {
  const failures: unknown[] = []
  for (const handle of asked) {
    try {
      const backend = await handle.ready({ ...(signal === undefined ? {} : { signal }) })
      const work = backend.resolveDomain(domain, { ...(signal && { signal }), ...(onWarning && { onWarning }) })
      const address = await within(work, { ms: RESOLVE_LIMIT_MS, what: `Looking up ${domain} on ${handle.name}`, signal })
      const dialler = [handle, ...all].find((other) => dials(other, address))
      if (dialler !== undefined && dials(dialler, address)) return { handle: dialler, address }
      failures.push(new UnsupportedError(`${handle.name} leads ${domain} to an address that no enabled backend dials.`))
    } catch (error) {
      signal?.throwIfAborted()
      failures.push(error)
    }
  }
  if (failures.length === 1 && isBeamError(failures[0])) throw failures[0]
  throw allFailed(`Nobody publishes ${domain}, as far as could be found out.`, failures, { code: 'BEAM_ERR_NOT_FOUND' })
}

/** The domain name in what was typed (`myapp.local`, `http://myapp.local/path`), in lower case; undefined when there is none. */
export function domainOf(text: string): string | undefined {
  const host = /^(?:https?:\/\/)?([^/:?#@]+)(?::\d{1,5})?(?:[/?#].*)?$/i.exec(text.trim())?.[1]?.toLowerCase()
  return host !== undefined && DOMAIN.test(host) ? host : undefined
}

/** Whether the backend opens streams to this address. */
export function dials(handle: BackendHandle, address: string): handle is DiallerHandle {
  return isDialler(handle.backend) && handle.backend.canDial(address)
}

function notUnderstood(text: string, candidates: readonly Candidate[], broken: readonly unknown[]): Error {
  const [first] = broken
  if (candidates.length === broken.length && isBeamError(first)) return first
  return new ConfigError(`No backend understands the address ${JSON.stringify(text.slice(0, 100))}.`, {
    code: 'BEAM_ERR_ADDRESS_INVALID',
    hint: `An address looks like beam://… or as its network writes it. Asked: ${candidates.map(({ name }) => name).join(', ')}.`,
    ...(broken.length > 0 ? { cause: new AggregateError(broken, 'backends that failed to load') } : {}),
  })
}
