import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { accessJudge, generateIdentity } from '../../../core/index.ts'
import { listenForPair } from './pair.ts'
import { rawVisitor } from './raw-visitor.ts'

it('survives a side channel that ends within its preamble', async () => {
  await using pair = await listenForPair()
  using visitor = await rawVisitor(pair.port)
  for (let extra = -1; extra < 4; extra++) {
    const pipe = await visitor.openPipe()
    pipe.end(Buffer.concat([visitor.token, Buffer.alloc(4)]).subarray(0, visitor.token.length + extra))
    await once(pipe.resume(), 'close')
  }
  const { link } = await pair.dial()
  await link.hello()
})

it('survives a judge that fails', async () => {
  await using pair = await listenForPair({ judge: () => Promise.reject(new Error('no verdict')) })
  const { link } = await pair.dial()
  await expect(link.hello()).rejects.toMatchObject({ code: 'BEAM_ERR_PEER_UNREACHABLE' })
  const stream = link.openStream('service')
  await expect(once(stream, 'data')).rejects.toMatchObject({ code: 'BEAM_ERR_PEER_UNREACHABLE' })
})

it('survives visitors who leave while their secret is checked', async () => {
  const service = generateIdentity()
  // A new judge has to work its secret out first, which takes some 30 ms.
  let judge = accessJudge({ secret: 'word' }, service.publicKey)
  await using pair = await listenForPair({ identity: service, judge: (asker, headers) => judge(asker, headers) })
  for (let round = 0; round < 5; round++) {
    using visitor = await rawVisitor(pair.port)
    judge = accessJudge({ secret: `word ${round}` }, service.publicKey)
    void visitor.open({ 'beam-secret': '00'.repeat(32) }).catch(() => {})
    await wait(5)
    visitor.connection.destroy()
  }
  await wait(200)
})
