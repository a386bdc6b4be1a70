import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AnonetBackend } from '../../../../backends/anonet/index.ts'
import { silentLogger, systemClock } from '../../../../core/index.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'beam-d-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

function backend(user: string, config: Readonly<Record<string, unknown>> = {}): AnonetBackend {
  const folder = join(home, user)
  return new AnonetBackend({
    config: { mode: 'managed', range: '21.0.0.0/8', listenPort: 41_820, bfdMs: 100, holdSeconds: 9, endpoints: ['127.0.0.1'], ...config },
    paths: { config: join(folder, 'c'), data: join(folder, 'd'), state: join(folder, 's'), runtime: join(folder, 'r') },
    logger: silentLogger,
    clock: systemClock,
  })
}

const circleOf = (user: string): string => join(home, user, 'd', 'anonet', 'circle.json')

describe('the list of friends', () => {
  it('is stored, for its owner only, before a text is shown, and survives', async () => {
    const { text } = await backend('a').operate('invite', { for: 'bob' })
    expect((await stat(circleOf('a'))).mode & 0o777).toBe(0o600)
    const { answer } = await backend('b').operate('accept', { text, name: 'alice' })
    await backend('a').operate('accept', { text: answer, name: 'bob' })
    const { friends, invites } = await backend('a').operate('friends')
    expect(invites).toEqual([])
    expect(friends).toMatchObject([{ name: 'bob', transit: true, endpoints: ['127.0.0.1:41820'] }])
    expect(await backend('a').operate('revoke', { friend: 'bob' })).toMatchObject({ revoked: 'friend' })
    expect((await backend('a').operate('friends'))['friends']).toEqual([])
  })

  it('has no private key in any answer', async () => {
    const invitation = await backend('a').operate('invite', {})
    const accepted = await backend('b').operate('accept', { text: invitation['text'] })
    const stored = JSON.parse(await readFile(circleOf('b'), 'utf8')) as { seed: string; friends: ReadonlyArray<{ privateKey: string }> }
    const shown = JSON.stringify([accepted, await backend('b').operate('friends'), await backend('b').operate('status')])
    for (const secret of [stored.seed, stored.friends[0]!.privateKey]) expect(shown).not.toContain(secret)
  })

  it('takes many changes at once, one after the other', async () => {
    await Promise.all(Array.from({ length: 8 }, () => backend('a').operate('invite', {})))
    const { invites } = (await backend('a').operate('friends')) as { invites: unknown[] }
    expect(invites).toHaveLength(8)
  })

  it('says so when it is damaged or readable by others, and is left as it is', async () => {
    await backend('a').operate('invite', {})
    await writeFile(circleOf('a'), '{"version":1,"seed":', { mode: 0o600 })
    await expect(backend('a').operate('invite', {})).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_STORAGE' })
    expect(await readFile(circleOf('a'), 'utf8')).toBe('{"version":1,"seed":')
  })

  it.each([
    ['invite', { endpoints: ['evil.example'] }, /no IP address/],
    ['invite', { endpoints: ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'] }, /at most 4/],
    ['invite', { for: 'x'.repeat(40) }, /at most 32/],
    ['accept', {}, /text that a friend sent/],
    ['accept', { text: 'anonet-invite-AAAA' }, /damaged/],
    ['revoke', { friend: 'nobody' }, /no friend/],
    ['revoke', {}, /name or id/],
    ['dance', {}, /no operation/],
  ])('%s %j is refused', async (operation, input, message) => {
    await expect(backend('a').operate(operation, input)).rejects.toThrow(message)
  })

  it.each([
    [{ prefix: '21.255.1.0/24' }, /cannot be announced/],
    [{ prefix: '10.1.1.0/24' }, /cannot be announced/],
    [{ asn: 70_000 }, /no private AS/],
  ])('a configuration with %j is refused', async (config, message) => {
    await expect(backend('a', config).operate('invite', {})).rejects.toThrow(message)
  })
})
