import { definePlugin, type BeamPlugin, type TunnelInfo, type TunnelOptions } from '../../core/index.ts'
import { faulty, MemoryBackend, MemoryNetwork, type Faults, type Faulty } from '../../core/testing/index.ts'

/** A memory backend whose addresses say which network they belong to. */
class NamedBackend extends MemoryBackend {
  override startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    return super.startTunnel(port, { ...options, name: `${this.name}-${options.name ?? options.id}` })
  }

  override canDial(address: string): boolean {
    return address.startsWith(`memory://${this.name}-`)
  }
}

/** A network inside this process whose faults hit everybody who is on it. */
export class FaultyNetwork {
  readonly name: string
  readonly #network = new MemoryNetwork()
  /** The instance of each Beam; one that failed is replaced. */
  readonly #instances = new Map<string, Faulty<NamedBackend>>()
  #faults: Faults = {}

  constructor(name: string) {
    this.name = name
  }

  /** The plugin of one Beam. */
  plugin(user: string): BeamPlugin {
    return definePlugin({
      name: this.name,
      apiVersion: 1,
      description: 'Inside one process, with faults.',
      configSchema: { type: 'object' },
      create: () => {
        const instance = faulty(new NamedBackend({ name: this.name, network: this.#network }), this.#faults)
        this.#instances.set(user, instance)
        return instance
      },
    })
  }

  /** The address of a tunnel on it. */
  address(name: string): string {
    return `memory://${this.name}-${name}`
  }

  harm(faults: Faults): void {
    this.#faults = faults
    for (const { faults: control } of this.#instances.values()) control.set(faults)
  }

  mend(): void {
    this.#faults = {}
    for (const { faults: control } of this.#instances.values()) control.clear()
  }
}
