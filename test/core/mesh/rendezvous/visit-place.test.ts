import { afterEach, describe, expect, it } from 'vitest'
import {
  BackendUnavailableError,
  formatMeetingPlace,
  generateIdentity,
  MeshNode,
  parseMeetingPlace,
  silentLogger,
  systemClock,
  UnreachableError,
  visitsBy,
  type MeetingPlace,
} from '../../../../core/index.ts'
import { MemoryStream } from '../../../../core/testing/index.ts'

const identity = generateIdentity()
const place: MeetingPlace = { key: Buffer.from(identity.publicKey), address: 'abc.onion' }
const { signal } = new AbortController()
const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A node without a port, and the streams that lead to it. */
function hidden(held = identity): { node: MeshNode; dial: () => Promise<MemoryStream> } {
  const node = new MeshNode({ identity: held, clock: systemClock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
  open.push(() => node[Symbol.asyncDispose]())
  const dial = async (): Promise<MemoryStream> => {
    const [near, far] = MemoryStream.pair()
    near.on('error', () => {})
    node.accept(far)
    return near
  }
  return { node, dial }
}

describe('a visit to a meeting place', () => {
  it('asks several things over one stream that was dialled for it, each visit under another key', async () => {
    const { node, dial } = hidden()
    const keys = new Set<string>()
    node.serve('who', (body, { key }) => {
      keys.add(key.toString('hex'))
      return body
    })
    let dialled = 0
    const visit = visitsBy(async () => (dialled++, dial()), { logger: silentLogger })
    const both = await visit(place, async (ask) => [await ask('who', Buffer.from('a')), await ask('who', Buffer.from('b'))], { signal })
    expect(String(both)).toBe('a,b')
    expect([dialled, keys.size]).toEqual([1, 1])
    await visit(place, (ask) => ask('who', Buffer.from('c')), { signal })
    expect([dialled, keys.size]).toEqual([2, 2])
  })

  it('ends in time where nobody answers, whether the way there or the place is slow', async () => {
    const never = visitsBy(() => new Promise(() => {}), { logger: silentLogger, limitMs: 100 })
    const silent = async (): Promise<MemoryStream> => {
      const [near, far] = MemoryStream.pair()
      for (const end of [near, far]) end.on('error', () => {})
      return near
    }
    const mute = visitsBy(silent, { logger: silentLogger, limitMs: 100 })
    await expect(mute(place, (ask) => ask('who', Buffer.alloc(0)), { signal })).rejects.toMatchObject({
      kind: 'timeout',
      code: 'BEAM_ERR_TIMEOUT',
      message: expect.stringContaining('abc.onion does not answer') as string,
      hint: expect.stringContaining('try again') as string,
    })
    await expect(never(place, (ask) => ask('who', Buffer.alloc(0)), { signal })).rejects.toMatchObject({ code: 'BEAM_ERR_TIMEOUT' })
  })

  it('tells what is wrong there, and leaves what is wrong here as it is', async () => {
    const failing = (error: Error): Promise<unknown> =>
      visitsBy(
        async () => {
          throw error
        },
        { logger: silentLogger },
      )(place, (ask) => ask('who', Buffer.alloc(0)), { signal })
    await expect(failing(new UnreachableError('No descriptor.', { code: 'BEAM_ERR_NOT_FOUND' }))).rejects.toMatchObject({
      kind: 'unreachable',
      message: 'The meeting place abc.onion cannot be reached. No descriptor.',
    })
    const ours = new BackendUnavailableError('The program tor is not installed.', {
      code: 'BEAM_ERR_PROGRAM_MISSING',
      hint: 'apt install tor',
    })
    await expect(failing(ours)).rejects.toBe(ours)
    const another = hidden(generateIdentity())
    const visit = visitsBy(another.dial, { logger: silentLogger })
    await expect(visit(place, (ask) => ask('who', Buffer.alloc(0)), { signal })).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_MISMATCH' })
    const { node, dial } = hidden()
    const there = visitsBy(dial, { logger: silentLogger })
    await expect(there(place, (ask) => ask('who', Buffer.alloc(0)), { signal })).rejects.toMatchObject({
      code: 'BEAM_ERR_NOT_FOUND',
      message: 'The meeting place abc.onion is none now: nothing serves registrations there.',
    })
    node.serve('who', () => {
      throw new UnreachableError('Too many.', { code: 'BEAM_ERR_RATE_LIMITED', retry: 'later' })
    })
    await expect(there(place, (ask) => ask('who', Buffer.alloc(0)), { signal })).rejects.toMatchObject({
      code: 'BEAM_ERR_RATE_LIMITED',
      message: expect.stringContaining('Too many.') as string,
    })
    // An answer that is larger than any may be.
    node.serve('much', () => Buffer.alloc(65 * 1024))
    await expect(there(place, (ask) => ask('much', Buffer.alloc(0)), { signal })).rejects.toThrow('abc.onion')
    const reason = new Error('enough')
    await expect(there(place, (ask) => ask('who', Buffer.alloc(0)), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('the address of a meeting place', () => {
  it('is read as it is written, without the scheme', () => {
    const text = formatMeetingPlace(identity.publicKey, 'http://abc.onion')
    expect(parseMeetingPlace(` ${text}\n`)).toEqual(place)
    expect(parseMeetingPlace(formatMeetingPlace(identity.publicKey, 'abc.onion:8080')).address).toBe('abc.onion:8080')
  })

  it('is refused when something of it is missing or mistyped', () => {
    const text = formatMeetingPlace(identity.publicKey, 'abc.onion')
    const mistyped = `beam-node:${text[10] === 'a' ? 'b' : 'a'}${text.slice(11)}`
    for (const bad of ['', 'abc.onion', text.slice(10), text.slice(0, -10), mistyped, `${text} x`, `${text}${'x'.repeat(400)}`])
      expect(() => parseMeetingPlace(bad)).toThrow(expect.objectContaining({ code: 'BEAM_ERR_ADDRESS_INVALID' }) as Error)
  })
})
