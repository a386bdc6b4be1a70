import { afterEach, describe, expect, it } from 'vitest'
import { MemoryBackend } from '../../core/testing/memory-backend.ts'
import type { MemoryNetwork } from '../../core/testing/memory-network.ts'
import type { BackendCapabilities } from '../../core/capabilities.ts'
import { createBeam, type Beam, type PublishEvent } from '../../plugins/index.ts'
import { echoServer } from '../core/tunnels/puppet-backend.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'

const open: Array<() => PromiseLike<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A memory backend that declares something. */
class Declaring extends MemoryBackend {
  readonly #declared: Partial<BackendCapabilities>

  constructor(options: { name: string; network: MemoryNetwork }, declared: Partial<BackendCapabilities>) {
    super(options)
    this.#declared = declared
  }

  override getCapabilities(): BackendCapabilities {
    return { ...super.getCapabilities(), ...this.#declared }
  }
}

async function beamOf(
  networks: Readonly<Record<string, Partial<BackendCapabilities>>>,
): Promise<{ beam: Beam; port: number; started: string[] }> {
  const [paths, echo, started] = [await temporaryPaths(), await echoServer(), [] as string[]]
  open.push(() => paths[Symbol.asyncDispose](), echo.close)
  const plugins = Object.entries(networks).map(([name, declared]) =>
    memoryPlugin({
      name,
      make: (called, network) => {
        const backend = new Declaring({ name: called, network }, declared)
        const initialize = backend.initialize.bind(backend)
        backend.initialize = async (options) => {
          started.push(called)
          await initialize(options)
        }
        return backend
      },
    }),
  )
  const beam = await createBeam({ config: { backends: Object.keys(networks).map((name) => ({ name })) }, plugins, paths, env: {} })
  open.push(() => beam[Symbol.asyncDispose]())
  return { beam, port: echo.port, started }
}

const fog = { anonymityLevel: 'medium', relays: 6 } as const
const mist = { anonymityLevel: 'high', relays: 5 } as const
const street = { exposesPublisherIp: true, exposesVisitorIp: true, relays: 0 } as const

describe('a budget', () => {
  it('chooses the networks that a tunnel uses, and tells which of the named ones it leaves out', async () => {
    const { beam, port, started } = await beamOf({ street, fog, mist })
    const events: PublishEvent[] = []
    const tunnel = await beam.publish(port, {
      backends: ['street', 'mist'],
      budget: { anonymity: 'low' },
      onEvent: (event) => events.push(event),
    })
    expect(tunnel.backends()).toEqual(['mist'])
    expect(new Set(started)).toEqual(new Set(['mist']))
    expect(events[0]).toMatchObject({ event: 'warning', backend: 'street', code: 'BEAM_WARN_BUDGET' })
  })

  it('that nobody meets is an error that says why', async () => {
    const { beam, port, started } = await beamOf({ street, fog })
    await expect(beam.publish(port, { budget: { anonymity: 'high' } })).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(/street: .*none.*fog: .*medium/) as string,
    })
    expect(started).toEqual([])
  })

  it('is no consent to a mixture', async () => {
    const { beam, port } = await beamOf({ street, fog })
    await expect(beam.publish(port, { budget: { latencyMs: 60_000 }, strategy: 'load-balance' })).rejects.toMatchObject({
      code: 'BEAM_ERR_EXPOSURE',
      kind: 'config',
    })
  })
})

describe('beam.plan()', () => {
  it('says what publish would use, and starts nothing', async () => {
    const { beam, started } = await beamOf({ fog, street })
    const { chosen, rows } = await beam.plan({ strategy: 'fallback' })
    expect(chosen).toEqual(['fog'])
    expect(rows.map(({ backend, use }) => `${backend} ${use}`)).toEqual(['fog first', 'street no'])
    expect(started).toEqual([])
  })

  it('refuses names that do not exist', async () => {
    const { beam } = await beamOf({ fog })
    await expect(beam.plan({ backends: ['frog'] })).rejects.toMatchObject({ code: 'BEAM_ERR_BACKEND_UNKNOWN' })
  })
})

describe('tunnel.migrate()', () => {
  it('moves a tunnel to another backend by name', async () => {
    const { beam, port } = await beamOf({ fog, mist })
    const tunnel = await beam.publish(port, { backends: ['fog'] })
    await tunnel.migrate({ from: 'fog', to: 'mist' })
    expect(tunnel.backends()).toEqual(['mist'])
    expect(tunnel.snapshot().endpoints.map(({ backend }) => backend)).toEqual(['mist'])
    await expect(tunnel.migrate({ from: 'mist', to: 'frog' })).rejects.toMatchObject({ code: 'BEAM_ERR_BACKEND_UNKNOWN' })
  })
})
