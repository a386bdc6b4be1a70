import type { Flavor } from './flavor.ts'

/** Where the parts of a network listen. It is part of a snapshot. */
export interface Layout {
  readonly address: string
  /** The authority's port for directory requests. */
  readonly dirPort: number
  /** Ports of the relays; the first is the authority's. */
  readonly orPorts: readonly number[]
}

/**
 * Seconds of the first vote. The delays are tor's own minima. The authority looks at its clock a second or two after its start and takes the
 * first end of an interval from then on: with the least interval, 5 s, that is often too early for the relays.
 */
export const INITIAL_INTERVAL_S = 10
export const VOTE_DELAY_S = 2
export const DIST_DELAY_S = 2

/** The line by which everybody knows the authority. */
export function authorityLine({ address, dirPort, orPorts }: Layout, identity: string, fingerprint: string): string {
  return `DirAuthority auth0 orport=${orPorts[0]} no-v2 v3ident=${identity} ${address}:${dirPort} ${fingerprint}`
}

/**
 * What makes a daemon part of the private network, and nothing else: no fallback directories and no authorities but ours, so that nothing
 * leaves the machine.
 */
export function memberLines(authority: string): readonly string[] {
  return [
    'TestingTorNetwork 1',
    authority,
    'UseDefaultFallbackDirs 0',
    // No exits are needed, and tor would wait for them.
    'PathsNeededToBuildCircuits 0.67',
    // Empty: no file is read.
    'GeoIPFile',
    'GeoIPv6File',
  ]
}

/** What every daemon that the tests start themselves has: its folder, its control port, and its end with this process. */
export function daemonLines(flavor: Flavor, folder: string): readonly string[] {
  return [
    `DataDirectory ${folder}`,
    `Log notice file ${folder}/tor.log`,
    `PidFile ${folder}/pid`,
    'ShutdownWaitLength 0',
    'NumCPUs 1',
    'CookieAuthentication 1',
    'ControlPort 127.0.0.1:auto',
    `ControlPortWriteToFile ${folder}/control-port`,
    `__OwningControllerProcess ${process.pid}`,
    ...flavor.lines,
  ]
}

/** A relay that lets nobody out and asks no DNS. */
export function relayLines(address: string, orPort: number): readonly string[] {
  return [
    `Address ${address}`,
    `ORPort ${address}:${orPort}`,
    'SocksPort 0',
    'AssumeReachable 1',
    'ExitRelay 0',
    'ExitPolicy reject *:*',
    'DirCache 1',
    'ServerDNSDetectHijacking 0',
    'ServerDNSTestAddresses',
    'ServerDNSResolvConfFile /dev/null',
  ]
}

/** The directory authority. `votingOffset` puts the first vote where the network is ready for it. */
export function authorityLines({ address, dirPort }: Layout, votingOffset: number): readonly string[] {
  return [
    `DirPort ${address}:${dirPort}`,
    'AuthoritativeDirectory 1',
    'V3AuthoritativeDirectory 1',
    'ContactInfo nobody@test.invalid',
    `TestingV3AuthInitialVotingInterval ${INITIAL_INTERVAL_S}`,
    `TestingV3AuthInitialVoteDelay ${VOTE_DELAY_S}`,
    `TestingV3AuthInitialDistDelay ${DIST_DELAY_S}`,
    `TestingV3AuthVotingStartOffset ${votingOffset}`,
    // An hour keeps the time periods of onion services at 24 hours, as on the public network; times 72 the consensus holds for three days.
    'V3AuthVotingInterval 3600',
    `V3AuthVoteDelay ${VOTE_DELAY_S}`,
    `V3AuthDistDelay ${DIST_DELAY_S}`,
    'V3AuthNIntervalsValid 72',
    'TestingAuthDirTimeToLearnReachability 0',
    'MinUptimeHidServDirectoryV2 0',
    'TestingDirAuthVoteGuard *',
    'TestingDirAuthVoteHSDir *',
    'TestingMinExitFlagThreshold 0',
    // Every relay counts as stable. Where only some do, they alone are second hops of onion services (vanguards), and a client whose guard is the
    // last of them never builds a circuit.
    'AuthDirVoteStableGuaranteeMinUptime 0',
    'AuthDirVoteStableGuaranteeMTBF 0',
  ]
}
