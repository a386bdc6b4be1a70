/**
 * Made from schemas/backends/anonet.schema.json by test/config/generate-types.ts; do not edit.
 */

/**
 * Settings of the anonet backend: `config` of the entry `anonet` in beam.config.yaml.
 */
export interface AnonetConfig {
  /**
   * `attach`: use the mesh that this machine is part of. `managed`: Beam keeps one of its own, with the friends of `beam anonet friends`. `auto`: attach where there is a mesh, else managed where there are friends.
   */
  mode: 'auto' | 'attach' | 'managed'
  /**
   * The mesh's address range. All friends need the same.
   */
  range: string
  /**
   * attach: the address of this machine at which services are published. Without it: the only one in the range.
   */
  address?: string
  /**
   * attach: BIRD's control socket. Without it: where distributions have it.
   */
  birdSocket?: string
  /**
   * The prefix that this node announces. Without it: attach, the address alone; managed, one worked out of the node's key.
   */
  prefix?: string
  /**
   * managed: this node's private AS number. Without it: one worked out of the node's key.
   */
  asn?: number
  /**
   * managed: IP addresses at which friends reach this machine, named in invitations. Without it: the machine's own.
   */
  endpoints?: string[]
  /**
   * managed: UDP port of the first link; each further friend has the next free one.
   */
  listenPort: number
  /**
   * managed: how this node calls itself in invitations.
   */
  nickname?: string
  /**
   * managed: interval of BFD packets, in milliseconds. A link is dead when three are missing.
   */
  bfdMs: number
  /**
   * managed: BGP's hold time, in seconds.
   */
  holdSeconds: number
}
