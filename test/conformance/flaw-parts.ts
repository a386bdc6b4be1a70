import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { BackendCapabilities, TunnelOptions } from '../../core/index.ts'
import type { ConformanceFixture, PromiseId } from '../../core/testing/index.ts'
import { AlteredStream, type Alteration, type Flaw, type MemoryEverything } from './flawed.ts'

/** Makes the flaw of one backend. */
export type MakeFlaw = (backend: MemoryEverything) => Flaw

/** A flaw in words, the promises that it breaks, in the order of the suite, and how it is made. */
export type FlawRow = readonly [what: string, breaks: readonly PromiseId[], flaw: MakeFlaw, extra?: Partial<ConformanceFixture>]

/** A flaw of the streams that are dialled. */
export function altersStreams(alteration: () => Alteration): MakeFlaw {
  return (backend) => ({ dial: async (...args) => new AlteredStream(await backend.dial(...args), alteration()) })
}

/** The same for the first stream only: forty of them would need the memory of the machine. */
export function altersFirstStream(alteration: Alteration): MakeFlaw {
  return (backend) => {
    let first = true
    return {
      dial: async (...args) => {
        const stream = new AlteredStream(await backend.dial(...args), first ? alteration : {})
        first = false
        return stream
      },
    }
  }
}

const leaked: Array<() => void> = []
/** Closes what flaws left open on purpose. */
export function closeLeaks(): void {
  for (const close of leaked.splice(0)) close()
}

export function leak(timer: NodeJS.Timeout): void {
  leaked.push(() => clearInterval(timer))
}

export async function leakSocket(): Promise<void> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1').unref()
  await once(socket, 'listening')
  leaked.push(() => socket.close())
}

export function opensWhenMade(backend: MemoryEverything): Flaw {
  const server = createServer().listen(0, '127.0.0.1').unref()
  return {
    [Symbol.asyncDispose]: async () => {
      server.close()
      await backend[Symbol.asyncDispose]()
    },
  }
}

export function onlyOnce<Args extends unknown[], T>(call: (...args: Args) => Promise<T>, message: string): (...args: Args) => Promise<T> {
  let called = false
  return async (...args) => {
    if (called) throw new Error(message)
    called = true
    return call(...args)
  }
}

type Status = Awaited<ReturnType<MemoryEverything['getStatus']>>

export function failsWhenStopped(status: Status): Status {
  if (status.state === 'stopped') throw new Error('stopped')
  return status
}

export async function slowWhenStopped(status: Status): Promise<Status> {
  if (status.state === 'stopped') await new Promise((resolve) => setTimeout(resolve, 1_050))
  return status
}

export async function isRunning(backend: MemoryEverything, id: string): Promise<void> {
  const { tunnels } = await backend.getStatus()
  if (!tunnels.some((tunnel) => tunnel.id === id)) throw new Error('there is no such tunnel')
}

/** No more than `limit` streams at once. */
export function atMost(backend: MemoryEverything, limit: number): Flaw {
  let open = 0
  return {
    dial: async (address, options = {}) => {
      if (open >= limit) throw new Error('too many streams')
      open += 1
      const stream = await backend.dial(address, options).catch((error: unknown) => ((open -= 1), Promise.reject(error as Error)))
      return stream.once('close', () => (open -= 1))
    },
  }
}

export function diesAfter(backend: MemoryEverything, resets: number): Flaw {
  let count = 0
  return {
    dial: async (...args) => {
      if (count > resets) throw new Error('the session was closed')
      const stream = await backend.dial(...args)
      return stream.once('close', () => (count += stream.errored === null ? 0 : 1))
    },
  }
}

export function failsEvery(backend: MemoryEverything, nth: number): Flaw {
  let count = 0
  return { dial: async (...args) => (++count % nth === 0 ? Promise.reject(new Error('no luck')) : backend.dial(...args)) }
}

export function sevenBits(chunk: Buffer): Buffer {
  return Buffer.from(chunk.map((byte) => byte & 0x7f))
}

export function capabilities(backend: MemoryEverything, changes: Partial<BackendCapabilities>): Flaw {
  return { getCapabilities: () => ({ ...backend.getCapabilities(), ...changes }) }
}

export function connectsDirectly(backend: MemoryEverything): Flaw {
  const server = createServer((socket) => socket.end()).unref()
  return {
    reach: async (...args) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume()
      await once(socket, 'close')
      server.close()
      return backend.reach(...args)
    },
  }
}

/** Asks a name server on loopback that does not exist. */
export async function looksUp(name: string): Promise<void> {
  const resolver = new Resolver({ timeout: 10, tries: 1 })
  resolver.setServers(['127.0.0.1:9'])
  await new Promise((resolve) => resolver.resolve4(name, resolve))
}

export function tellsAddress(backend: MemoryEverything): Flaw {
  return {
    startTunnel: async (port: number, options: TunnelOptions = {}) => {
      const { onStream } = options
      if (onStream === undefined) return backend.startTunnel(port, options)
      return backend.startTunnel(port, {
        ...options,
        onStream: (stream: Duplex, visitor) => onStream(stream, { ...visitor, remoteAddress: '127.0.0.1' }),
      })
    },
  }
}
