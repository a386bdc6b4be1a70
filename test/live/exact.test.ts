import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { residentMiB, Scene, type Publication, type Visit } from '../e2e/scene.ts'
import { ORDERS, transfer, transferService } from '../helpers/transfer.ts'
import { assertBuilt, BEAM } from './built.ts'

const BYTES = 256 * 1024 * 1024
/** A process that held what a slow reader has not taken would have at least {@link BYTES} more than a started one. */
const MAX_MIB = 300

describe('256 MiB in both directions of a connection, with a slow reader', () => {
  let scene: Scene
  let publication: Publication
  let visit: Visit
  const service = transferService()

  beforeAll(async () => {
    assertBuilt()
    scene = await Scene.open(BEAM)
    publication = await scene.publish(await scene.serve(service.server))
    visit = await scene.visit(publication.address)
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  it.each(ORDERS.flatMap((order) => (['visitor', 'service'] as const).map((slow) => ({ order, slow }))))(
    'arrive byte for byte: $order; the $slow reads slowly',
    async ({ order, slow }) => {
      const { up, down } = await transfer(visit.port, service, { order, bytes: BYTES, slow })
      expect(up.received).toEqual(up.sent)
      expect(down.received).toEqual(down.sent)
      for (const { process } of [publication, visit]) expect(residentMiB(process.child.pid) ?? 0).toBeLessThan(MAX_MIB)
    },
  )
})
