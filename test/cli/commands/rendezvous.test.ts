import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { meetingPlaceText } from '../../../cli/output/meeting-place-view.ts'
import { formatMeetingPlace, generateIdentity } from '../../../core/index.ts'
import { beam, temporaryFolder } from '../beam-process.ts'

const ONION = 'pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion'
const place = (address: string): string => formatMeetingPlace(generateIdentity().publicKey, address)

describe('--rendezvous', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  beforeAll(async () => {
    folder = await temporaryFolder()
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  it.each([
    ['3000 --tor --rendezvous PLACE', 'BEAM_ERR_USAGE', 'needs a name', '--domain'],
    ['node --tor', 'BEAM_ERR_USAGE', 'a meeting place and nothing else', 'beam node --rendezvous --tor'],
    ['node --rendezvous --i2p --relay', 'BEAM_ERR_USAGE', '--relay is for a node of the mesh', 'beam node --rendezvous --i2p'],
    ['node --rendezvous --tor --p2p-bootstrap none', 'BEAM_ERR_USAGE', '--p2p-bootstrap is for a node', 'beam node'],
    ['node --name web', 'BEAM_ERR_USAGE', '--name is for a meeting place', '--tor'],
    ['resolve myapp.local --rendezvous MESH', 'BEAM_ERR_ADDRESS_INVALID', 'leads to the meeting place 192.0.2.7:4001', '--p2p-peers'],
    ['connect myapp.local --rendezvous MESH', 'BEAM_ERR_ADDRESS_INVALID', 'leads to the meeting place 192.0.2.7:4001', '--p2p-peers'],
    ['connect myapp.local --rendezvous CUT', 'BEAM_ERR_CONFIG', 'p2p.rendezvous[0]', ''],
  ])('beam %s: %s', async (line, code, message, hint) => {
    const words = { PLACE: place(ONION), MESH: place('192.0.2.7:4001'), CUT: place(ONION).slice(0, 40) }
    const args = line.split(' ').map((word) => words[word as keyof typeof words] ?? word)
    const { stdout, code: exit } = await beam([...args, '--json'], folder.path, { BEAM_P2P_MDNS: 'off' })
    expect(exit).toBe(2)
    const error = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, string>
    expect(error).toMatchObject({ event: 'error', code, message: expect.stringContaining(message) as string })
    expect(error['hint'] ?? '').toContain(hint)
  })

  it('“none” goes before the configuration: names are looked up on the mesh again', async () => {
    const env = { BEAM_P2P_MDNS: 'off', BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_RENDEZVOUS: place('192.0.2.7:4001') }
    const there = await beam(['resolve', 'nobody.example', '--json'], folder.path, env)
    expect(JSON.parse(there.stdout)).toMatchObject({ code: 'BEAM_ERR_ADDRESS_INVALID' })
    const mesh = await beam(['resolve', 'nobody.example', '--rendezvous', 'none', '--json'], folder.path, env)
    expect(JSON.parse(mesh.stdout)).toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
  })
})

it('a meeting place says how it is named', () => {
  const address = place(ONION)
  expect(meetingPlaceText({ id: 'abc', addresses: [address] })).toContain(`--rendezvous (p2p.rendezvous):\n  ${address}\n`)
})
