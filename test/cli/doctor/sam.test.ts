import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { examine, type Finding } from '../../../cli/doctor/finding.ts'
import { samCheck } from '../../../cli/doctor/sam.ts'

async function findingWith(answer: (socket: Socket) => void): Promise<Finding> {
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => answer(socket)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    return await examine(samCheck({ BEAM_I2P_SAM_PORT: String((server.address() as AddressInfo).port) }))
  } finally {
    server.close()
  }
}

describe('the SAM port', () => {
  it('of a router is found, with its version', async () => {
    const finding = await findingWith((socket) => socket.end('HELLO REPLY RESULT=OK VERSION=3.1\n'))
    expect(finding).toMatchObject({ state: 'ok', detail: expect.stringContaining('version 3.1') as string })
  })
  it.each<readonly [string, string]>([
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n'],
    ['a flood', 'A'.repeat(5_000)],
    ['nothing', ''],
  ])('that says %s is told apart', async (_what, text) => {
    expect(await findingWith((socket) => socket.end(text))).toMatchObject({ state: 'limited' })
  })
  it('that is not there is no fault', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    expect(await examine(samCheck({ BEAM_I2P_SAM_PORT: String(port) }))).toMatchObject({ state: 'absent' })
  })
})
