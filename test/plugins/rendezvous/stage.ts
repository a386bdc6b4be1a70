import type { Duplex } from 'node:stream'
import type { BackendCapabilities, BeamPlugin, DialOptions, DomainRegistration, PublishEvent } from '../../../core/index.ts'
import { MemoryBackend, MemoryNetwork } from '../../../core/testing/index.ts'
import { createBeam } from '../../../plugins/index.ts'
import type { Beam, HostedPlace, HostPlaceOptions } from '../../../plugins/beam.ts'
import { echoServer } from '../../core/tunnels/puppet-backend.ts'
import { memoryPlugin, temporaryPaths } from '../memory-plugin.ts'

/** A network that hides both ends and has no names, as Tor. It notes what is dialled, and whether somebody asked it for a name. */
class HidingBackend extends MemoryBackend {
  readonly #stage: Stage

  constructor(name: string, network: MemoryNetwork, stage: Stage) {
    super({ name, network })
    this.#stage = stage
  }

  override getCapabilities(): BackendCapabilities {
    return { ...super.getCapabilities(), supportsDomains: false, accessControl: false }
  }

  override async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    this.#stage.dialled.push({ address, isolation: options.isolation })
    const { fault } = this.#stage
    if (fault !== undefined) return fault(address, options.signal)
    return super.dial(address, options)
  }

  override async resolveDomain(domain: string): Promise<string> {
    this.#stage.asked.push(domain)
    throw new Error('this network has no names')
  }

  override async registerDomain(domain: string): Promise<DomainRegistration> {
    this.#stage.asked.push(domain)
    throw new Error('this network has no names')
  }
}

/** A network that has names and shows both ends, as the mesh. Nobody may ask it for anything. */
class ShowingBackend extends MemoryBackend {
  readonly #stage: Stage

  constructor(name: string, network: MemoryNetwork, stage: Stage) {
    super({ name, network })
    this.#stage = stage
  }

  override getCapabilities(): BackendCapabilities {
    return { ...super.getCapabilities(), exposesPublisherIp: true, exposesVisitorIp: true }
  }

  override canDial(address: string): boolean {
    return address.startsWith('showing:')
  }

  override async resolveDomain(domain: string): Promise<string> {
    this.#stage.asked.push(domain)
    return super.resolveDomain(domain, {})
  }
}

/** Users on one hiding network, each with a Beam instance of its own. All of it ends with the stage. */
export class Stage implements AsyncDisposable {
  readonly network = new MemoryNetwork()
  readonly dialled: Array<{ readonly address: string; readonly isolation: string | undefined }> = []
  /** Names that a network was asked for. */
  readonly asked: string[] = []
  /** What dialling does instead. */
  fault: ((address: string, signal?: AbortSignal) => Promise<Duplex>) | undefined
  readonly #undo: Array<() => unknown> = []

  /** A user who names these meeting places; the mesh is off, and would be seen if somebody asked it. */
  async user(rendezvous: readonly string[] = [], home?: Awaited<ReturnType<typeof temporaryPaths>>): Promise<Beam> {
    const paths = home ?? (await this.home())
    const plugins: BeamPlugin[] = [
      memoryPlugin({ name: 'hiding', network: this.network, make: (name, network) => new HidingBackend(name, network, this) }),
      memoryPlugin({ name: 'showing', make: (name, network) => new ShowingBackend(name, network, this) }),
    ]
    const config = { backends: [{ name: 'showing' }, { name: 'hiding' }], p2p: { rendezvous: [...rendezvous] } }
    const beam = await createBeam({ config, plugins, paths, env: {} })
    this.#undo.push(() => beam[Symbol.asyncDispose]())
    return beam
  }

  async home(): ReturnType<typeof temporaryPaths> {
    const paths = await temporaryPaths()
    this.#undo.push(() => paths[Symbol.asyncDispose]())
    return paths
  }

  async place(options: Partial<HostPlaceOptions> = {}, beam?: Beam): Promise<{ place: HostedPlace; address: string }> {
    const place = await (beam ?? (await this.user())).hostPlace({ backends: ['hiding'], name: 'meet', ...options })
    return { place, address: place.addresses()[0] ?? '' }
  }

  /** A tunnel to an echo on the hiding network, with what is told of it. */
  async publish(beam: Beam, name: string, domain: string, more: Parameters<Beam['publish']>[1] = {}) {
    const echo = await echoServer()
    this.#undo.push(echo.close)
    const events: PublishEvent[] = []
    const options = { name, domain, backends: ['hiding'], onEvent: (event: PublishEvent) => void events.push(event), ...more }
    const tunnel = await beam.publish(echo.port, options)
    const registered = (): boolean => events.some((event) => event.event === 'progress' && event.phase === 'registered')
    const warnings = (): string[] => events.flatMap((event) => (event.event === 'warning' ? [event.message] : []))
    return { tunnel, events, registered, warnings }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#undo.reverse()) await step()
  }
}

/** Says a word on a stream and hears it back. */
export async function echoed(stream: Duplex): Promise<string> {
  stream.on('error', () => {})
  stream.write('hello')
  for await (const chunk of stream) {
    stream.destroy()
    return String(chunk)
  }
  return ''
}
