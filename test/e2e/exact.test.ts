import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ORDERS, transfer, transferService } from '../helpers/transfer.ts'
import { Scene } from './scene.ts'

/** Above every buffer and window on the way, so that back-pressure has its part in it; test/live has the large ones. */
const BYTES = 12 * 1024 * 1024

describe('both directions of a connection, with a slow reader', () => {
  let scene: Scene
  let port: number
  const service = transferService()

  beforeAll(async () => {
    scene = await Scene.open()
    const { address } = await scene.publish(await scene.serve(service.server))
    port = (await scene.visit(address)).port
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  it.each(ORDERS)('arrive byte for byte: %s', async (order) => {
    const { up, down } = await transfer(port, service, { order, bytes: BYTES, slow: 'visitor' })
    expect(up.received).toEqual(up.sent)
    expect(down.received).toEqual(down.sent)
  })

  it('arrive byte for byte when the service is the slow one', async () => {
    const { up, down } = await transfer(port, service, { order: 'both at once', bytes: BYTES, slow: 'service' })
    expect(up.received).toEqual(up.sent)
    expect(down.received).toEqual(down.sent)
  })
})
