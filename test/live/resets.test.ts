import { expect, it } from 'vitest'
import { residentMiB, Scene } from '../e2e/scene.ts'
import { resetConnections, resettingService } from '../helpers/resets.ts'
import { assertBuilt, BEAM } from './built.ts'

const RESETS = 5_000
/** What a started process and the buffers of one link have, several times over; rounds must not add to it. */
const MAX_MIB = 400

it(`a tunnel stands ${RESETS} connections that are reset in a row, again and again`, async () => {
  assertBuilt()
  await using scene = await Scene.open(BEAM)
  const publication = await scene.publish(await scene.serve(resettingService()))
  const visit = await scene.visit(publication.address)
  for (let round = 0; round < 3; round++) {
    await resetConnections(visit.port, RESETS)
    // One connection in two is reset by the service.
    const get = async (): Promise<string> => (await fetch(`http://127.0.0.1:${visit.port}/`, { headers: { connection: 'close' } })).text()
    await expect.poll(() => get().catch(() => '')).toBe('alive')
    for (const { process } of [publication, visit]) {
      expect(process.child.exitCode).toBeNull()
      expect(process.stderr).toBe('')
      expect(process.events.filter(({ event }) => event === 'error' || event === 'down')).toEqual([])
      expect(residentMiB(process.child.pid) ?? 0).toBeLessThan(MAX_MIB)
    }
  }
})
