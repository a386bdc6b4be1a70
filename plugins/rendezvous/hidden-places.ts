import {
  ConfigError,
  isDialler,
  mayVisitPlaces,
  parseMeetingPlace,
  visitsBy,
  type BackendHandle,
  type Candidate,
  type Logger,
  type MeetingPlace,
  type Progress,
  type VisitPlace,
} from '../../core/index.ts'

/** A meeting place with the network that leads to it. */
export interface HiddenPlace extends MeetingPlace {
  readonly handle: BackendHandle
}

/** Who may be asked whether they understand an address, as `Backends.candidates` says. */
export type CandidatesFor = (address: string) => Promise<readonly Candidate[]>

/**
 * The meeting places behind these addresses. Each is left to the backend that understands it, and to nothing else: an address is never looked
 * up or dialled on a network that shows who asks. Starts nothing.
 * @throws ConfigError (`BEAM_ERR_ADDRESS_INVALID`, `BEAM_ERR_EXPOSURE`), and what `candidates` throws for networks that are not installed
 */
export async function hiddenPlaces(texts: readonly string[], candidates: CandidatesFor): Promise<readonly HiddenPlace[]> {
  return Promise.all([...new Set(texts)].map((text) => hiddenPlace(text, candidates)))
}

async function hiddenPlace(text: string, candidates: CandidatesFor): Promise<HiddenPlace> {
  const place = parseMeetingPlace(text)
  const handle = await diallerOf(place.address, await candidates(place.address))
  if (handle === undefined) {
    throw new ConfigError(`No network that can be used here leads to the meeting place ${place.address}.`, {
      code: 'BEAM_ERR_ADDRESS_INVALID',
      hint: 'An address of Tor or I2P is needed, as “beam node --rendezvous --tor” prints it. Nodes of the mesh (host:port) are named with --p2p-peers.',
    })
  }
  if (mayVisitPlaces(handle.capabilities)) return { ...place, handle }
  throw new ConfigError(`${handle.name} would show the meeting place ${place.address} who asks it.`, {
    code: 'BEAM_ERR_EXPOSURE',
    hint: 'Use one behind Tor or I2P. Nodes of the mesh are named with --p2p-peers.',
  })
}

/** The first backend that opens streams to the address. One that cannot be made does not keep others from it. */
export async function diallerOf(address: string, candidates: readonly Candidate[]): Promise<BackendHandle | undefined> {
  for (const candidate of candidates) {
    const handle = await candidate.load().catch((error: unknown) => {
      if (candidates.length === 1) throw error
      return undefined
    })
    if (handle !== undefined && isDialler(handle.backend) && handle.backend.canDial(address)) return handle
  }
  return undefined
}

/**
 * Visits through the places' own networks. `isolation` keeps what belongs to one tunnel or one look-up apart from everything else that this
 * process does there, and each place from the others.
 */
export function hiddenVisits({
  isolation,
  logger,
  onProgress,
}: {
  readonly isolation: string
  readonly logger: Logger
  /** Told how far a network is that has to be joined first. */
  readonly onProgress?: ((backend: string, progress: Progress) => void) | undefined
}): VisitPlace<HiddenPlace> {
  return visitsBy<HiddenPlace>(
    async ({ handle, address }, { signal }) => {
      const tell = { onProgress: (progress: Progress) => onProgress?.(handle.name, progress) }
      const backend = await handle.ready({ signal, ...tell })
      if (!isDialler(backend)) throw new ConfigError(`${handle.name} opens no streams.`, { code: 'BEAM_ERR_ADDRESS_INVALID' })
      return backend.dial(address, { signal, isolation: `rendezvous ${isolation} ${address}`, ...tell })
    },
    { logger },
  )
}
