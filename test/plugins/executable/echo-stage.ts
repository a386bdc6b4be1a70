import { createServer, type AddressInfo, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, vi } from 'vitest'
import { Workshop } from './harness.ts'

/** A workshop and an echo service for each test; `endings` are the errors of its connections. */
export let workshop: Workshop
let echo: Server
export let port: number
export const endings: string[] = []

beforeEach(async () => {
  workshop = await Workshop.open()
  endings.length = 0
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => endings.push(String(error.code)))
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  port = (echo.address() as AddressInfo).port
})

afterEach(async () => {
  await workshop[Symbol.asyncDispose]()
  await new Promise((resolve) => echo.close(resolve))
})

/** Sends a text, ends, and gives back what came. */
export async function exchange(stream: Duplex, text: string): Promise<string> {
  stream.end(text)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

export const until = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 20 })
