import { afterEach, describe, expect, it } from 'vitest'
import { generateIdentity, ProtocolError, silentLogger, UnreachableError } from '../../../core/index.ts'
import { dialLink, isReverseOffer, offerReverse, takeReverse, type Asked, type Link, type LinkStream } from '../../../core/link/index.ts'
import { listenForPair } from './pair.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function linkTo(serve: (asked: Asked) => Uint8Array | Promise<Uint8Array>): Promise<Link> {
  const pair = await listenForPair({ serve })
  open.push(() => pair[Symbol.asyncDispose]())
  return (await pair.dial()).link
}

describe('a small request', () => {
  it('is answered with its topic, its body and the key that asks', async () => {
    const identity = generateIdentity()
    const pair = await listenForPair({
      serve: ({ topic, body, peerKey }) => Buffer.concat([Buffer.from(`${topic}:`), body, peerKey]),
    })
    open.push(() => pair[Symbol.asyncDispose]())
    const { link } = await dialLink({
      to: { host: '127.0.0.1', port: pair.port },
      expectedKey: pair.service.publicKey,
      identity,
      logger: silentLogger,
    })
    open.push(() => link.close())
    const [said, empty] = await Promise.all([link.ask('peers', Buffer.from('hello')), link.ask('gossip', Buffer.alloc(0))])
    expect(said).toEqual(Buffer.concat([Buffer.from('peers:hello'), identity.publicKey]))
    expect(empty).toEqual(Buffer.concat([Buffer.from('gossip:'), identity.publicKey]))
  })

  it('is refused with the reason of whoever serves, or with none when that is a fault', async () => {
    const link = await linkTo(({ topic }) => {
      if (topic === 'fault') throw new TypeError('secret detail')
      throw new UnreachableError(`no ${topic} for you`, { code: 'BEAM_ERR_RATE_LIMITED' })
    })
    await expect(link.ask('gossip', Buffer.alloc(1))).rejects.toMatchObject({ code: 'BEAM_ERR_RATE_LIMITED', message: 'no gossip for you' })
    const fault = (await link.ask('fault', Buffer.alloc(1)).catch((error: unknown) => error)) as Error
    expect(fault).toMatchObject({ code: 'BEAM_ERR_INTERNAL' })
    expect(fault.message).not.toContain('secret')
  })

  it('is not found where nobody serves', async () => {
    const pair = await listenForPair()
    open.push(() => pair[Symbol.asyncDispose]())
    await expect((await pair.dial()).link.ask('peers', Buffer.alloc(0))).rejects.toBeInstanceOf(UnreachableError)
  })

  it('and its answer have a largest size', async () => {
    const link = await linkTo(({ topic }) => Buffer.alloc(topic === 'large' ? 65_537 : 65_536))
    expect(await link.ask('small', Buffer.alloc(65_536))).toHaveLength(65_536)
    await expect(link.ask('large', Buffer.alloc(0))).rejects.toBeInstanceOf(UnreachableError)
    await expect(link.ask('small', Buffer.alloc(65_537))).rejects.toMatchObject({ code: 'BEAM_ERR_INTERNAL' })
  })

  it('waits for no more than 32 others: what comes on top is refused', async () => {
    let release: () => void = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const link = await linkTo(async () => {
      await gate
      return Buffer.from('late')
    })
    const asked = Array.from({ length: 40 }, () => link.ask('slow', Buffer.alloc(0)).catch((error: { code?: string }) => error.code))
    // The eight that are refused come first; the others wait.
    const first = await Promise.race([...asked.slice(32)])
    release()
    const answers = await Promise.all(asked)
    expect(first).toBe('BEAM_ERR_RATE_LIMITED')
    expect(answers.filter((answer) => answer === 'BEAM_ERR_RATE_LIMITED')).toHaveLength(8)
    expect(answers.filter((answer) => Buffer.isBuffer(answer))).toHaveLength(32)
  })

  it('can be asked of the dialler when the link was turned round', async () => {
    let took: (stream: LinkStream) => void = () => {}
    const offered = new Promise<LinkStream>((resolve) => (took = resolve))
    const pair = await listenForPair({ onStream: (stream) => isReverseOffer(stream) && took(stream) })
    open.push(() => pair[Symbol.asyncDispose]())
    const { link } = await pair.dial()
    offerReverse(link, { logger: silentLogger, peerKey: link.peerKey, serve: ({ topic }) => Buffer.from(`dialler has ${topic}`) })
    const reverse = await takeReverse(await offered, { logger: silentLogger, peerKey: link.peerKey })
    expect((await reverse.ask('news', Buffer.alloc(0))).toString()).toBe('dialler has news')
  })

  it('that is larger than it may be is refused by the one who serves too', async () => {
    const link = await linkTo(() => Buffer.alloc(0))
    const raw = link as unknown as { ask: (topic: string, body: { length: number }) => Promise<unknown> }
    // Says that it is short and is long: what a program of another make could do.
    const body = Buffer.alloc(70_000)
    Object.defineProperty(body, 'length', { get: () => 1 })
    await expect(raw.ask('x', body)).rejects.toSatisfy((error) => error instanceof UnreachableError || error instanceof ProtocolError)
  })
})
