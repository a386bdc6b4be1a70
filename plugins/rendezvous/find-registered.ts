import {
  findService,
  isBeamError,
  mayVisitPlaces,
  newTunnelId,
  normaliseName,
  UnreachableError,
  UnsupportedError,
  type BeamError,
  type BeamPaths,
  type Candidate,
  type Clock,
  type FoundService,
  type Logger,
  type Progress,
  type ResolutionContext,
  type ServiceRecord,
} from '../../core/index.ts'
import { registeredPins } from './accepted.ts'
import { diallerOf, hiddenPlaces, hiddenVisits, type CandidatesFor } from './hidden-places.ts'

/** What a look-up at meeting places may use. */
export interface FindRegisteredOptions {
  /** Addresses of the meeting places. */
  readonly rendezvous: readonly string[]
  readonly candidates: CandidatesFor
  /** The networks on which what is found may be dialled, besides those of the meeting places. */
  readonly extra: () => Promise<readonly Candidate[]>
  readonly allowExposure: boolean
  readonly paths: BeamPaths
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly onWarning?: ResolutionContext['onWarning']
  readonly onProgress?: ((backend: string, progress: Progress) => void) | undefined
}

/**
 * The addresses of the service that is registered under a name, the best first: those that networks dial which do not show who visits. The
 * service that is accepted first is remembered, and another one never takes its place silently.
 * @throws as `hiddenPlaces` and `findService`; UnsupportedError when no network here dials what was found
 */
export async function findRegistered(domain: string, options: FindRegisteredOptions): Promise<readonly [string, ...string[]]> {
  const { rendezvous, candidates, paths, clock, logger, signal, onWarning, onProgress } = options
  const name = normaliseName(domain)
  const places = await hiddenPlaces(rendezvous, candidates)
  const pins = registeredPins(paths)
  const visit = hiddenVisits({ isolation: newTunnelId(), logger, onProgress })
  const pin = await pins.lookup(name)
  const found = await findService(name, { places, visit, clock, pin, signal }).catch((error: unknown) => {
    throw isBeamError(error) && error.code === 'BEAM_ERR_NAME_CONFLICT' ? howToForget(error, name) : error
  })
  await pins.accept(name, found.record.serviceKey)
  warn(name, found, onWarning)
  const networks = places.map(({ handle }): Candidate => ({ name: handle.name, resolves: false, load: async () => handle }))
  return usable(name, found.record, [...networks, ...(await options.extra())], options.allowExposure)
}

function howToForget(error: BeamError, name: string): UnreachableError {
  const hint = `${error.hint ?? ''} Only if it has really changed: beam domain release ${name} --accepted`
  return new UnreachableError(error.message, { code: error.code, retry: 'never', hint, cause: error })
}

function warn(name: string, { record, verified, others, failures }: FoundService, onWarning: ResolutionContext['onWarning']): void {
  const at = record.endpoints.join(', ')
  if (verified === 'first-use') {
    onWarning?.(
      'BEAM_WARN_NAME_UNVERIFIED',
      `${name} was looked up for the first time; it is registered for ${at}. Nobody vouches for that: compare the address with the publisher’s. Who registered it is remembered from now on.`,
    )
  }
  if (others.length > 0) {
    const addresses = others.map(({ endpoints }) => endpoints[0] ?? 'a service without an address').join(', ')
    onWarning?.('BEAM_WARN_NAME_CLAIMED', `Others are registered as ${name} too: ${addresses}`)
  }
  for (const { message } of failures) onWarning?.('BEAM_WARN_RENDEZVOUS', message)
}

/** The addresses that can be dialled without showing who visits. Whoever signs a record may name any place in it, such as this machine's neighbours. */
async function usable(
  name: string,
  { endpoints }: ServiceRecord,
  candidates: readonly Candidate[],
  allowExposure: boolean,
): Promise<readonly [string, ...string[]]> {
  const addresses: string[] = []
  for (const endpoint of endpoints) {
    const handle = await diallerOf(endpoint, candidates).catch(() => undefined)
    if (handle !== undefined && (allowExposure || mayVisitPlaces(handle.capabilities))) addresses.push(endpoint)
  }
  const [first, ...others] = addresses
  if (first !== undefined) return [first, ...others]
  throw new UnsupportedError(`${name} is registered for ${endpoints.join(', ')}, which no network that is used here may dial.`, {
    hint: 'Name its network with --backends. One that shows your IP address is used only with --allow-exposure.',
  })
}
