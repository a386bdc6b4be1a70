import type { Duplex } from 'node:stream'
import { afterEach } from 'vitest'
import { stage, type Stage } from './stage.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

/** A stage that is taken down at the end of the test. */
export async function on(...args: Parameters<typeof stage>): Promise<Stage> {
  const made = await stage(...args)
  open.push(made)
  return made
}

/** All bytes until the end. */
export async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
