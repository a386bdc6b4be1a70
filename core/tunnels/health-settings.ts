import { ConfigError } from '../errors.ts'

/** How a published tunnel is watched, and how slow it is to move. Times in milliseconds. */
export interface HealthSettings {
  /**
   * Whether the publisher dials its own address through the network, as a visitor would. Only on networks that hide it: where the ends are
   * connected directly this machine would answer itself, and that says nothing.
   */
  readonly selfCheck?: boolean
  /** Mean distance of the checks while all is well; visitors that get through take the place of one. */
  readonly probeEveryMs?: number
  /** How long one check may take. */
  readonly probeLimitMs?: number
  /** `fallback`: how long an endpoint may be out of order before the next network is used. */
  readonly failAfterMs?: number
  /** `fallback`: how long a better network must have worked before it takes the tunnel back; longer each time that it fails again. */
  readonly recoverAfterMs?: number
}

/**
 * A check costs the network one more path (Tor: a circuit and a rendezvous), so one a minute at most and none under traffic. Building a
 * path takes up to half a minute on the slower networks. Three seconds down hardly disturb a visitor and are more than a link needs that
 * is dialled again at once; half a minute up shows that a network is back for good.
 */
export const DEFAULT_HEALTH: Required<HealthSettings> = {
  selfCheck: true,
  probeEveryMs: 60_000,
  probeLimitMs: 30_000,
  failAfterMs: 3_000,
  recoverAfterMs: 30_000,
}

/** What each time may be: as in schemas/beam.config.schema.json, which allows them as `500ms`, `30s`, `5m` or `1h`. */
const LIMITS = {
  probeEveryMs: [1_000, 3_600_000],
  probeLimitMs: [1_000, 300_000],
  failAfterMs: [0, 3_600_000],
  recoverAfterMs: [0, 86_400_000],
} as const

/**
 * Complete settings.
 * @throws ConfigError for a time that is out of bounds
 */
export function healthSettings(given: HealthSettings = {}): Required<HealthSettings> {
  for (const [name, [least, most]] of Object.entries(LIMITS)) {
    const value = given[name as keyof typeof LIMITS]
    if (value !== undefined && !(Number.isFinite(value) && value >= least && value <= most)) {
      throw new ConfigError(`${name.replace(/Ms$/, '')} is ${value} ms; it may be ${least} to ${most} ms.`)
    }
  }
  return { ...DEFAULT_HEALTH, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
}
