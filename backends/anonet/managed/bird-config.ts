import { LINK_RANGE, MAX_PATH_LENGTH, MAX_PREFIXES_PER_FRIEND, MIN_PREFIX_LENGTH } from '../constants.ts'
import { prefixText, type Prefix } from '../mesh-address.ts'
import { nodeAddress } from './plan.ts'

/** How fast a dead link is noticed. */
export interface Timing {
  /** Interval of BFD packets, in milliseconds; three missing ones mean that the link is dead. */
  readonly bfdMs: number
  /** BGP's hold time, in seconds: the second line, for friends without BFD. */
  readonly holdSeconds: number
}

/** One friend, as BIRD sees him. */
export interface BirdFriend {
  /** Name of the protocol: letters, digits, underscores. */
  readonly protocol: string
  readonly interface: string
  readonly ownAddress: string
  readonly address: string
  readonly asn: number
  readonly prefix: Prefix
  /** Whether he may pass on what his friends announce. */
  readonly transit: boolean
}

/** Everything that BIRD is told. */
export interface BirdSetup {
  readonly prefix: Prefix
  readonly asn: number
  readonly range: Prefix
  readonly timing: Timing
  readonly friends: readonly BirdFriend[]
}

/**
 * The configuration of BIRD 2 for a node of a mesh of friends. A friend may announce his own prefix and, unless it is refused, what he
 * carries for others: within the mesh's range, by a path that begins with him and is not too long; never this node's prefix, the links,
 * a default route, nor the prefix of another friend by any origin but that friend.
 */
export function birdConfig({ prefix, asn, range, timing, friends }: BirdSetup): string {
  const own = nodeAddress(prefix)
  return [
    'log stderr { warning, error, fatal, bug };',
    `router id ${own};`,
    'protocol device { scan time 2; }',
    // Without krt_prefsrc replies leave with the link's address, which nobody has a route to.
    `protocol kernel { learn off; persist off; merge paths off; ipv4 { import none; export filter { krt_prefsrc = ${own}; if source = RTS_BGP then accept; reject; }; }; }`,
    `protocol static mine { ipv4; route ${prefixText(prefix)} blackhole; }`,
    'function foreign() {',
    `  if !(net ~ [ ${prefixText(range)}{${MIN_PREFIX_LENGTH},32} ]) then return true;`,
    `  if net ~ [ ${LINK_RANGE}+, ${prefixText(prefix)}+ ] then return true;`,
    ...friends.map((friend) => `  if net ~ [ ${prefixText(friend.prefix)}+ ] && bgp_path.last != ${friend.asn} then return true;`),
    `  return bgp_path.len > ${MAX_PATH_LENGTH};`,
    '}',
    `protocol bfd { interface "*" { min rx interval ${timing.bfdMs} ms; min tx interval ${timing.bfdMs} ms; idle tx interval ${timing.bfdMs * 3} ms; multiplier 3; }; }`,
    ...friends.flatMap((friend) => friendLines(friend, asn, timing)),
    '',
  ].join('\n')
}

function friendLines(friend: BirdFriend, asn: number, { holdSeconds }: Timing): string[] {
  // What he originates is his own prefix; what he carries is originated by somebody else.
  const whose = friend.transit ? `bgp_path.last = ${friend.asn} && ` : ''
  const his = ` if ${whose}!(net ~ [ ${prefixText(friend.prefix)}+ ]) then reject;`
  return [
    `protocol bgp ${friend.protocol} {`,
    `  local ${friend.ownAddress} as ${asn}; neighbor ${friend.address} as ${friend.asn}; interface "${friend.interface}"; direct; bfd on;`,
    `  hold time ${holdSeconds}; keepalive time ${Math.max(1, Math.floor(holdSeconds / 3))};`,
    '  connect retry time 2; connect delay time 0; error wait time 1, 5;',
    '  ipv4 {',
    `    import filter { if foreign() then reject; if bgp_path.first != ${friend.asn} then reject;${his} accept; };`,
    '    export filter { if source ~ [ RTS_STATIC, RTS_BGP ] then accept; reject; };',
    // What was refused is kept, within the limit, so that the status can show it.
    `    import keep filtered on; receive limit ${MAX_PREFIXES_PER_FRIEND} action block; next hop self;`,
    '  };',
    '}',
  ]
}
