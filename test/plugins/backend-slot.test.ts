import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLogger, systemClock, type Logger, type PluginContext, type Progress } from '../../core/index.ts'
import { MemoryBackend } from '../../core/testing/memory-backend.ts'
import { BackendSlot } from '../../plugins/backend-slot.ts'
import { createContainer } from '../../plugins/container.ts'
import { BackendRegistry } from '../../plugins/registry.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'

let paths: Awaited<ReturnType<typeof temporaryPaths>>
const log: string[] = []
const logger: Logger = {
  ...silentLogger,
  error: (message, fields) => log.push(`${message} ${JSON.stringify(fields)}`),
  child: () => logger,
}
beforeEach(async () => {
  paths = await temporaryPaths()
  log.length = 0
})
afterEach(() => paths[Symbol.asyncDispose]())

const root = () => createContainer({ logger, clock: systemClock, paths })

class Watched extends MemoryBackend {
  initialized = 0
  failing = false
  hanging = false
  disposed = 0
  override async initialize(options: { signal?: AbortSignal } = {}): Promise<void> {
    this.initialized += 1
    if (this.failing) throw new Error('no network')
    if (this.hanging) await new Promise(() => {})
    return super.initialize(options)
  }
  override async [Symbol.asyncDispose](): Promise<void> {
    this.disposed += 1
    await super[Symbol.asyncDispose]()
  }
}

function slotOf(options: { initializeLimitMs?: number; prepare?: (backend: Watched, index: number) => void } = {}): {
  slot: BackendSlot
  made: Watched[]
} {
  const made: Watched[] = []
  const plugin = memoryPlugin({
    make: (name, network) => {
      const backend = new Watched({ name, network })
      options.prepare?.(backend, made.length)
      made.push(backend)
      return backend
    },
  })
  const limit = options.initializeLimitMs === undefined ? {} : { initializeLimitMs: options.initializeLimitMs }
  return { slot: new BackendSlot({ plugin: { ...plugin, ...limit }, config: {}, root: root() }), made }
}

it('makes a backend when it is asked for and initializes it once for all', async () => {
  const { slot, made } = slotOf()
  expect(made).toEqual([])
  expect(slot.capabilities.delivery).toBe('stream')
  await Promise.all([slot.ready(), slot.ready(), slot.ready()])
  expect(made).toHaveLength(1)
  expect(made[0]?.initialized).toBe(1)
})

it('makes a new one after a failed start, and ends the old one', async () => {
  const { slot, made } = slotOf({ prepare: (backend, index) => (backend.failing = index === 0) })
  await expect(slot.ready()).rejects.toThrow('The plugin memory failed while starting: no network')
  expect(made[0]?.disposed).toBe(1)
  await slot.ready()
  expect(made).toHaveLength(2)
})

it('gives up on a start that hangs, naming the plugin', async () => {
  const { slot } = slotOf({ initializeLimitMs: 20, prepare: (backend) => (backend.hanging = true) })
  await expect(slot.ready()).rejects.toMatchObject({
    code: 'BEAM_ERR_TIMEOUT',
    message: expect.stringContaining('plugin memory') as string,
  })
})

it('lets one user give up without the others', async () => {
  const { slot, made } = slotOf({ prepare: (backend) => (backend.hanging = true) })
  const patient = slot.ready()
  await expect(slot.ready({ signal: AbortSignal.timeout(10) })).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(made[0]?.disposed).toBe(0)
  const [ended] = await Promise.allSettled([patient, slot[Symbol.asyncDispose]()])
  expect(ended).toMatchObject({ status: 'rejected', reason: { message: 'Beam was stopped.' } })
  expect(made[0]?.disposed).toBeGreaterThan(0)
})

it('hands a plugin its own configuration and a logger with its name, and nothing else', async () => {
  let seen: PluginContext | undefined
  const fields: unknown[] = []
  const named: Logger = { ...silentLogger, child: (child) => (fields.push(child), silentLogger) }
  const plugin = { ...memoryPlugin(), create: (context: PluginContext) => ((seen = context), new MemoryBackend()) }
  const container = createContainer({ logger: named, clock: systemClock, paths })
  expect(new BackendSlot({ plugin, config: { knots: 3 }, root: container }).backend.name).toBe('memory')
  expect(Object.keys(seen ?? {}).toSorted()).toEqual(['clock', 'config', 'logger', 'paths'])
  expect(seen).toMatchObject({ config: { knots: 3 }, clock: systemClock })
  expect(fields).toEqual([{ plugin: 'memory' }])
})

it('ends backends in reverse order, and goes on when one fails', async () => {
  const registry = new BackendRegistry(root(), logger)
  const ended: string[] = []
  for (const name of ['first', 'second', 'third']) {
    const plugin = memoryPlugin({
      name,
      make: () =>
        Object.assign(new MemoryBackend({ name }), {
          [Symbol.asyncDispose]: async () => {
            ended.push(name)
            if (name === 'second') throw new Error('stuck')
          },
        }),
    })
    await registry.slot({ plugin, config: {} }).ready()
  }
  await registry[Symbol.asyncDispose]()
  expect(ended).toEqual(['third', 'second', 'first'])
  expect(log).toEqual([expect.stringContaining('The plugin second failed while stopping: stuck')])
})

it('tells everybody who waits how far the start is, also who comes late', async () => {
  const told: string[] = []
  let report: (phase: string) => void = () => {}
  let finish: () => void = () => {}
  const { slot } = slotOf({
    prepare: (backend) => {
      backend.initialize = async (options: Parameters<Watched['initialize']>[0] & { onProgress?: (progress: Progress) => void } = {}) => {
        report = (phase) => options.onProgress?.({ phase, percent: 50, message: phase })
        await new Promise<void>((resolve) => (finish = resolve))
      }
    },
  })
  const first = slot.ready({ onProgress: ({ phase }) => told.push(`first ${phase}`) })
  report('half')
  const second = slot.ready({ onProgress: ({ phase }) => told.push(`second ${phase}`) })
  report('nearly')
  finish()
  await Promise.all([first, second])
  expect(told).toEqual(['first half', 'second half', 'first nearly', 'second nearly'])
})

it('carries out operations of a backend that was started, and says which there are', async () => {
  const paths = { operations: [{ name: 'count', description: 'Counts.', changes: false }] }
  const operate = async (operation: string, input: unknown) => ({ operation, input })
  const { slot } = slotOf({ prepare: (backend) => Object.assign(backend, paths, { operate }) })
  expect(slot.started).toBe(false)
  await slot.ready()
  expect(await slot.operate('count', { from: 1 }, {})).toEqual({ operation: 'count', input: { from: 1 } })
  await expect(slot.operate('sing', {}, {})).rejects.toMatchObject({ kind: 'unsupported', hint: 'It has: count.' })
  const { slot: plain } = slotOf()
  await expect(plain.operate('count', {}, {})).rejects.toMatchObject({ hint: 'memory has no operations.' })
})
