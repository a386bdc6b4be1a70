/**
 * Made from schemas/backends/i2p.schema.json by test/config/generate-types.ts; do not edit.
 */

/**
 * Settings of the I2P backend: `config` of the entry `i2p` in beam.config.yaml.
 */
export interface I2PConfig {
  /**
   * Port on 127.0.0.1 at which a running router offers SAM. Without it: 7656 if a router answers there, else a private router.
   */
  sam_port?: number
  /**
   * Which router is used: a running one or else a private one, a running one only, or a private one only.
   */
  router: 'auto' | 'attach' | 'private'
  /**
   * The program of the private router. Without it: i2pd on the search path.
   */
  binary?: string
  /**
   * Whether a private router may fetch its first addresses of other routers from the reseed hosts on the Internet. Without that, only a router that knows others already gets into the network.
   */
  reseed: 'on' | 'off'
  /**
   * Further options of the private router, as i2pd has them: `bandwidth: X`, `ntcp2.port: '12345'`.
   */
  router_options: {
    [k: string]: string
  }
  /**
   * Routers in each tunnel. Fewer than 3 are faster and hide less.
   */
  length: number
  /**
   * Tunnels in each direction.
   */
  quantity: number
  /**
   * By how many routers the length of a tunnel may vary.
   */
  variance: number
  /**
   * How long nothing may come back on a stream before the publisher counts as gone.
   */
  first_byte_seconds: number
  /**
   * How long the end of a visitor's direction is held back while nothing comes from the other side. I2P knows no half-close: the end would cut off an answer that is on its way.
   */
  half_close_seconds: number
}
