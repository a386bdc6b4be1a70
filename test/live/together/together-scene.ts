import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BeamProcess } from '../../cli/beam-process.ts'
import { Scene } from '../../e2e/scene.ts'
import { I2pNetwork } from '../../helpers/i2p-network/network.ts'
import { OnionNetwork, type Flavor } from '../../helpers/onion-network/index.ts'
import { WAY_OUT } from '../way-out.ts'

/** Two networks start beside each other, and lease sets take up to half a minute on a loaded machine. */
const PATIENCE_MS = 150_000
/** Addresses of the I2P routers, on the namespace's lo (test/helpers/i2p-network). */
const ROUTER_ADDRESSES = [10, 11, 12, 13].map((last) => `198.18.77.${last}/32`)

/** Where a user is: the folder of Beam, and the router that is asked. */
export interface Place {
  readonly env: NodeJS.ProcessEnv
  /** Index of its router. */
  readonly router: number
}

/**
 * A private Tor network and a private I2P network at once, and `beam` processes that use both and the mesh. It belongs into a network
 * namespace of its own, which it gives the routers' addresses, and a way out that leads nowhere.
 */
export class TogetherScene implements AsyncDisposable {
  readonly scene: Scene
  readonly onion: OnionNetwork
  readonly i2p: I2pNetwork

  private constructor(scene: Scene, onion: OnionNetwork, i2p: I2pNetwork) {
    this.scene = scene
    this.onion = onion
    this.i2p = i2p
  }

  static async open(flavor: Flavor): Promise<TogetherScene> {
    const setUp = [...WAY_OUT, ...ROUTER_ADDRESSES.map((address) => `ip addr add ${address} dev lo`)]
    execFileSync('sh', ['-ec', setUp.join('\n')])
    const scene = await Scene.open(undefined, PATIENCE_MS)
    const i2p = new I2pNetwork(join(scene.folder, 'i2p'))
    try {
      const [onion] = await Promise.all([OnionNetwork.start(flavor), i2p.start()])
      const together = new TogetherScene(scene, onion, i2p)
      writeFileSync(join(scene.folder, 'beam.config.json'), JSON.stringify({ backends: together.#backends() }))
      return together
    } catch (error) {
      await i2p[Symbol.asyncDispose]()
      await scene[Symbol.asyncDispose]()
      throw error
    }
  }

  /** A user: the publisher has the first router, visitors the second. */
  place(name: string, router: 0 | 1): Place {
    const home = join(this.scene.folder, name)
    mkdirSync(home, { recursive: true })
    const samPort = String(this.i2p.routers[router]?.place.samPort)
    return { router, env: { BEAM_HOME: home, BEAM_I2P_SAM_PORT: samPort, BEAM_I2P_LENGTH: '0', BEAM_I2P_QUANTITY: '1' } }
  }

  /** `beam up` with these tunnels. */
  up(name: string, tunnels: readonly object[], env: NodeJS.ProcessEnv = {}): BeamProcess {
    const file = join(this.scene.folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ backends: this.#backends(), tunnels }))
    return this.scene.beam(['up', '--file', file], { ...this.place(name, 0).env, ...env })
  }

  #backends(): readonly object[] {
    const { flavor, torrc } = this.onion
    return [
      { name: 'mesh', config: { listen: { host: '127.0.0.1', port: 0 } } },
      { name: 'tor', config: { binary: flavor.binary, torrc } },
      { name: 'i2p', config: { router: 'attach', reseed: 'off', first_byte_seconds: 15 } },
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.scene[Symbol.asyncDispose]()
    } finally {
      await Promise.all([this.onion[Symbol.asyncDispose](), this.i2p[Symbol.asyncDispose]()])
    }
  }
}
