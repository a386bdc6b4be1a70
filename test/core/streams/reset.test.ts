import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resetStream } from '../../../core/streams/index.ts'

describe('resetStream', () => {
  const accepted: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket))
  beforeEach(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  it('closes a socket whose end is still on its way', async () => {
    const { port } = server.address() as AddressInfo
    const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    far.on('error', () => {}).resume()
    await expect.poll(() => accepted.length).toBe(1)
    const [near] = accepted
    const closed = new Promise((resolve) => near?.once('close', resolve))
    near?.end()
    // One tick later the end is with the operating system, which has not answered yet.
    process.nextTick(() => near !== undefined && resetStream(near, new Error('after all')))
    await closed
    far.destroy()
  })
})
