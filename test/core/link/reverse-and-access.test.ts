import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  accessJudge,
  dialLink,
  encodeKey,
  generateIdentity,
  isReverseOffer,
  offerReverse,
  secretHeaders,
  silentLogger,
  takeReverse,
  type AccessPolicy,
  type Identity,
  type Link,
  type LinkStream,
} from '../../../core/index.ts'
import { collect, listenForPair } from './pair.ts'

it('lets the acceptor open streams once the dialler has turned the link round', async () => {
  let offered!: (stream: LinkStream) => void
  const offer = new Promise<LinkStream>((resolve) => (offered = resolve))
  await using pair = await listenForPair({ onStream: (stream) => (isReverseOffer(stream) ? offered(stream) : stream.destroy()) })
  const { link } = await pair.dial()
  const asked: string[] = []
  offerReverse(link, {
    logger: silentLogger,
    peerKey: link.peerKey,
    judge: () => undefined,
    onStream: (stream) => {
      asked.push(stream.authority)
      stream.pipe(stream)
    },
  })
  const reverse: Link = await takeReverse(await offer, { logger: silentLogger, peerKey: link.peerKey })
  const data = randomBytes(3 << 20)
  for (let i = 0; i < 3; i++) {
    const stream = reverse.openStream(`peer-${i}`)
    stream.end(data)
    expect((await collect(stream)).equals(data)).toBe(true)
  }
  expect(asked).toEqual(['peer-0', 'peer-1', 'peer-2'])
  expect((await reverse.hello()).latencyMs).toBeGreaterThan(0)
  link.close()
  await expect.poll(() => reverse.usable).toBe(false)
})

async function hello(policy: AccessPolicy | undefined, visitor: { identity?: Identity; secret?: string }): Promise<unknown> {
  const service = generateIdentity()
  await using pair = await listenForPair({ identity: service, judge: accessJudge(policy, service.publicKey) })
  const { link, exportKey } = await dialLink({
    to: { host: '127.0.0.1', port: pair.port },
    expectedKey: service.publicKey,
    identity: visitor.identity ?? generateIdentity(),
    logger: silentLogger,
  })
  try {
    await link.hello(await secretHeaders(visitor.secret, service.publicKey, exportKey))
    return 'in'
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    link.close()
  }
}

it('lets in whom the policy names, and nobody else', async () => {
  const friend = generateIdentity()
  const allow = [encodeKey('visitor', friend.publicKey)]
  expect(await hello(undefined, {})).toBe('in')
  expect(await hello({ allow }, { identity: friend })).toBe('in')
  expect(await hello({ allow }, {})).toBe('BEAM_ERR_ACCESS_DENIED')
  expect(await hello({ secret: 'tulip' }, { secret: 'tulip' })).toBe('in')
  expect(await hello({ secret: 'tulip' }, { secret: 'rose' })).toBe('BEAM_ERR_ACCESS_DENIED')
  expect(await hello({ secret: 'tulip' }, {})).toBe('BEAM_ERR_ACCESS_DENIED')
  expect(await hello({ allow, secret: 'tulip' }, { identity: friend })).toBe('BEAM_ERR_ACCESS_DENIED')
  expect(await hello({ allow, secret: 'tulip' }, { secret: 'tulip' })).toBe('BEAM_ERR_ACCESS_DENIED')
  expect(await hello({ allow, secret: 'tulip' }, { identity: friend, secret: 'tulip' })).toBe('in')
})

it('refuses a policy that can let nobody in by mistake', () => {
  const key = generateIdentity().publicKey
  expect(() => accessJudge({ allow: ['not a key'] }, key)).toThrowError(/no visitor key/)
  expect(() => accessJudge({ allow: [encodeKey('service', key)] }, key)).toThrowError(/no visitor key/)
  expect(() => accessJudge({ secret: '' }, key)).toThrowError(/empty/)
})
