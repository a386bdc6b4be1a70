/**
 * Made from schemas/backends/tor.schema.json by test/config/generate-types.ts; do not edit.
 */

/**
 * Settings of the Tor backend: `config` of the entry `tor` in beam.config.yaml.
 */
export interface TorConfig {
  /**
   * The program tor: a path, or a name to look for in PATH. Without it: tor in PATH or one of the usual places.
   */
  binary?: string
  /**
   * Data directory of an own daemon. Kept between runs, it makes the next start fast. Without it: a folder among Beam’s own.
   */
  data_dir?: string
  /**
   * SOCKS port of a daemon that runs already, which is then used instead of an own one.
   */
  tor_port?: number | string
  /**
   * Control port of a daemon that runs already.
   */
  control_port?: number | string
  /**
   * Unix socket of the control port of a daemon that runs already.
   */
  control_socket?: string
  /**
   * Password of that control port (HashedControlPassword in its configuration). Without it: its cookie file.
   */
  control_password?: string
  /**
   * Further lines for the configuration file of an own daemon, as tor takes them.
   */
  torrc?: string[]
  /**
   * Bridges by which an own daemon enters the network, one line each, as they are handed out.
   */
  bridges?: string[]
  /**
   * Programs of pluggable transports, by the name in bridge lines. Without it: what is installed.
   */
  transports?: {
    [k: string]: string
  }
  /**
   * Services of a single hop: faster, and NOT anonymous: the network can learn the IP address of this machine. Nothing can be visited through such a daemon.
   */
  non_anonymous: boolean
  vanguards?: TorVanguards
  /**
   * Whether services ask visitors for a proof of work when they are flooded.
   */
  pow: boolean
  /**
   * Most streams of one circuit at a time. Without it: no limit.
   */
  max_streams?: number
  /**
   * Whether a service counts as ready, and as up, only when it was reached through the network.
   */
  self_check: boolean
  /**
   * How long joining the network may stand still before a tunnel or connection gives up.
   */
  stall_seconds: number
}
/**
 * How circuits are protected against the discovery of this machine’s guards.
 */
export interface TorVanguards {
  /**
   * Fixed relays for the second hop: as the network says, always, or never.
   */
  lite: 'auto' | 'on' | 'off'
  /**
   * Fingerprints of the relays for the second hop.
   */
  layer2?: string[]
  /**
   * Fingerprints of the relays for the third hop.
   */
  layer3?: string[]
}
