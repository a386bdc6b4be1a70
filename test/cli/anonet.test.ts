import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anonetFlags } from '../../cli/input/network-flags/anonet.ts'
import { readText } from '../../cli/input/read-text.ts'
import { friendsText, letterText, statusText } from '../../cli/output/anonet-text.ts'
import { colours } from '../../cli/output/colours.ts'
import { beam, temporaryFolder } from './beam-process.ts'

const schema = JSON.parse(readFileSync(new URL('../../schemas/anonet.schema.json', import.meta.url), 'utf8')) as object
const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false })
const plain = colours({ isTTY: false })

/** Fails unless the text is what the schema describes. */
function valid(text: string): Record<string, unknown> {
  const value = JSON.parse(text) as Record<string, unknown>
  const errors = ajv.validate(schema, value) ? '' : ajv.errorsText()
  expect(errors).toBe('')
  return value
}

let alice: Awaited<ReturnType<typeof temporaryFolder>>
let bob: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  ;[alice, bob] = await Promise.all([temporaryFolder(), temporaryFolder()])
  for (const { path } of [alice, bob]) {
    await writeFile(
      join(path, 'beam.config.yaml'),
      'backends: [{ name: anonet, enabled: true, config: { endpoints: [127.0.0.1], listenPort: 42820 } }]\n',
    )
  }
})
afterAll(() => Promise.all([alice, bob].map((folder) => folder[Symbol.asyncDispose]())))

// Each command is a process, which takes seconds where all tests run side by side.
describe('beam anonet', { timeout: 60_000 }, () => {
  it('makes friends by two lines, and ends it', async () => {
    const invited = valid((await beam(['anonet', 'invite', '--for', 'bob', '--json'], alice.path)).stdout)
    const accepted = valid((await beam(['anonet', 'accept', String(invited['text']), '--as', 'alice', '--json'], bob.path)).stdout)
    const { code, stdout, stderr } = await beam(['anonet', 'accept', String(accepted['answer']), '--as', 'bob'], alice.path)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(/^bob \([0-9a-f]{8}\) is a friend: prefix 21\.\d+\.\d+\.0\/24/)
    valid((await beam(['anonet', 'friends', '--json'], alice.path)).stdout)
    expect((await beam(['anonet', 'friends'], alice.path)).stdout).toMatch(/bob +[0-9a-f]{8} +21\./)
    valid((await beam(['anonet', 'revoke', 'bob', '--json'], alice.path)).stdout)
    expect((await beam(['anonet', 'friends'], alice.path)).stdout).toMatch(/No friends and no open invitations/)
  })

  it('prints the line alone on standard output, to be copied or piped', async () => {
    const { stdout, stderr } = await beam(['anonet', 'invite'], alice.path)
    expect(stdout).toMatch(/^anonet-invite-[A-Za-z0-9_-]+\n$/)
    expect(stderr).toMatch(/Send this line to your friend[\s\S]*local network only/)
  })

  it('says what is wrong with a line, and that nobody runs a mesh', async () => {
    const damaged = await beam(['anonet', 'accept', 'anonet-invite-AAAA'], bob.path)
    expect(damaged.code).toBe(2)
    expect(damaged.stderr).toMatch(/damaged.*BEAM_ERR_INVITE/)
    const idle = await beam(['anonet', 'status'], bob.path)
    expect(idle.code).toBe(1)
    expect(idle.stderr).toMatch(/BEAM_ERR_BACKEND_IDLE/)
  })
})

describe('flags of anonet', () => {
  it('become options of the tunnel and settings', () => {
    expect(anonetFlags.publishOptions?.({ 'anonet-port': '80', 'anonet-sources': ['21.2.0.0/24'] })).toEqual({
      port: 80,
      sources: ['21.2.0.0/24'],
    })
    expect(() => anonetFlags.publishOptions?.({ 'anonet-port': 'http' })).toThrow(/no port/)
    expect(anonetFlags.environment?.({ 'anonet-mode': 'managed' }, 'anonet')).toEqual({ BEAM_ANONET_MODE: 'managed' })
    expect(anonetFlags.environment?.({}, 'anonet')).toEqual({})
  })
})

describe('what is printed', () => {
  it('names sessions, traffic and routes', () => {
    const friend = {
      id: '0a1b2c3d',
      name: 'bob',
      session: 'Established',
      bfd: 'Up',
      handshakeSecondsAgo: 7,
      receivedBytes: 1_234_567,
      sentBytes: 12,
    }
    const routes = [
      { prefix: '21.1.0.0/24', via: 'mine', primary: true },
      { prefix: '21.2.0.0/24', via: 'friend_0a1b2c3d', primary: false, originAs: 4242420002 },
    ]
    const text = statusText(
      {
        state: 'running',
        message: 'connected to 1 friend',
        mode: 'managed',
        address: '21.1.0.1',
        uplink: 'relayed',
        friends: [friend],
        routes,
      },
      100,
      plain,
    )
    expect(text).toMatch(/bob +Established +Up +7 s ago +1\.2 MB +12 B/)
    expect(text).toMatch(/21\.2\.0\.0\/24 +friend_0a1b2c3d \(second choice\) +AS 4242420002/)
    expect(text).toMatch(/relayed by Beam/)
  })

  it('names the interfaces of a mesh that is not Beam’s', () => {
    const peers = [{ publicKey: 'a'.repeat(64), receivedBytes: 5, sentBytes: 6 }]
    const text = statusText(
      {
        state: 'running',
        message: '',
        mode: 'attach',
        sessions: [{ name: 'p_B', established: true, info: 'Established' }],
        wireguard: { wAB: { peers } },
        routes: [],
      },
      100,
      plain,
    )
    expect(text).toMatch(/p_B +Established/)
    expect(text).toMatch(/wAB +none yet +5 B +6 B/)
  })

  it('says where to begin, and what an invitation lacks', () => {
    expect(friendsText({ friends: [], invites: [] }, 80, plain)).toMatch(/beam anonet invite/)
    expect(letterText('invite', { reach: 'nowhere' })).toMatch(/--endpoint/)
    expect(letterText('answer', { reach: 'public' })).not.toMatch(/--endpoint/)
  })
})

it('standard input is read up to its limit', async () => {
  async function* parts(): AsyncGenerator<string> {
    yield 'abc'
    yield 'def'
  }
  expect(await readText(parts() as unknown as NodeJS.ReadableStream, 6)).toBe('abcdef')
  await expect(readText(parts() as unknown as NodeJS.ReadableStream, 5)).rejects.toMatchObject({ code: 'BEAM_ERR_USAGE' })
})
