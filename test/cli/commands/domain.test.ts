import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPins, type PinStore } from '../../../core/index.ts'
import { beam } from '../beam-process.ts'

let folder: string
let onMesh: PinStore
let atPlaces: PinStore
const key = (byte: number): Buffer => Buffer.alloc(32, byte)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-domain-'))
  const [data, runtime] = [join(folder, 'home', 'data'), join(folder, 'home', 'run')]
  onMesh = openPins({ data, runtime })
  atPlaces = openPins({ data: join(data, 'rendezvous'), runtime })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it('domain list tells whom visits accepted on the mesh and at meeting places; domain release --accepted forgets both', async () => {
  await onMesh.accept('both.local', key(1))
  await atPlaces.accept('both.local', key(2))
  await atPlaces.accept('hidden.local', key(3))
  const { stdout } = await beam(['domain', 'list', '--json'], folder)
  const listed = JSON.parse(stdout) as { accepted: Array<{ name: string }>; registered: Array<{ name: string; key: string }> }
  expect(listed.accepted.map(({ name }) => name)).toEqual(['both.local'])
  expect(listed.registered.map(({ name }) => name)).toEqual(['both.local', 'hidden.local'])
  expect((await beam(['domain', 'list'], folder)).stdout).toContain('hidden.local  accepted at a meeting place')

  expect((await beam(['domain', 'release', 'both.local', '--accepted'], folder)).code).toBe(0)
  expect((await beam(['domain', 'release', 'hidden.local', '--accepted'], folder)).code).toBe(0)
  expect([...(await onMesh.list()).keys(), ...(await atPlaces.list()).keys()]).toEqual([])
  const again = await beam(['domain', 'release', 'hidden.local', '--accepted'], folder)
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('Nobody was accepted for hidden.local.') as string })
})
