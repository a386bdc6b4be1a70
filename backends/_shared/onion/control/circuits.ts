/** What `GETINFO circuit-status`, `entry-guards` and `orconn-status` say (control-spec section 3.9). Pure. */
import { parseFields } from './fields.ts'

/** One circuit. */
export interface Circuit {
  readonly id: string
  /** `LAUNCHED`, `BUILT`, … */
  readonly state: string
  /** `HS_SERVICE_INTRO`, `CONFLUX_LINKED`, … */
  readonly purpose: string
  /** Names of the relays, this machine's neighbour first. */
  readonly relays: readonly string[]
  /** The onion service that it is for, without suffix. */
  readonly service?: string
}

/** The circuits of a list; lines of other forms are left out. */
export function parseCircuits(text: string): readonly Circuit[] {
  return text.split('\n').flatMap((line) => {
    const { words, pairs } = parseFields(line)
    const [id, state, path = ''] = words
    if (id === undefined || state === undefined || !/^\d+$/.test(id)) return []
    const relays = path.split(',').flatMap((relay) => (relay === '' ? [] : [relayName(relay)]))
    const service = pairs['REND_QUERY']
    return [{ id, state, purpose: pairs['PURPOSE'] ?? '', relays, ...(service === undefined ? {} : { service }) }]
  })
}

/** A relay by which this machine enters the network. */
export interface Guard {
  readonly name: string
  readonly fingerprint: string
  /** `up`, `down`, `never-connected`, `unusable`, `unlisted`. */
  readonly state: string
}

/** The guards of a list. */
export function parseGuards(text: string): readonly Guard[] {
  return text.split('\n').flatMap((line) => {
    const [relay, state] = line.split(' ')
    const fingerprint = /^\$([0-9A-F]{40})/i.exec(relay ?? '')?.[1]
    return fingerprint === undefined || state === undefined ? [] : [{ name: relayName(relay ?? ''), fingerprint, state }]
  })
}

/** How many relays are connected now. */
export function countConnections(text: string): number {
  return text.split('\n').filter((line) => line.trimEnd().endsWith(' CONNECTED')).length
}

/** `$FINGERPRINT~name` or `$FINGERPRINT=name`; without a name the beginning of the fingerprint. */
function relayName(relay: string): string {
  return /[~=](\w{1,19})$/.exec(relay)?.[1] ?? relay.replace(/^\$/, '').slice(0, 8)
}
