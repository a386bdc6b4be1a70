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

it('does not keep what comes behind a request that it has answered', async () => {
  await using pair = await listenForPair({ record: () => Buffer.from('record'), onStream: (stream) => stream.accept() })
  using visitor = await rawVisitor(pair.port)
  for (const request of [
    { ':method': 'GET', ':path': '/beam/hello' },
    { ':method': 'GET', ':path': '/beam/record' },
    { ':method': 'HEAD', ':path': '/beam/record' },
    { ':method': 'POST', ':path': '/' },
    { ':method': 'OPTIONS', ':path': '*' },
    { ':method': 'DELETE', ':path': '/beam/streams/' },
    { ':method': 'DELETE', ':path': '/beam/streams/1e3' },
    { ':method': 'TRACE', ':path': '/beam/streams/99999999999999999999' },
  ]) {
    const stream = visitor.session.request(request, { endStream: false })
    stream.on('error', () => {})
    let body = ''
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()))
    stream.write(Buffer.alloc(64 << 10))
    await once(stream, 'close', { signal: AbortSignal.timeout(2000) })
    if (request[':method'] === 'GET') expect(body).toBe(request[':path'] === '/beam/record' ? 'record' : '')
  }
  await visitor.open()
})

it('refuses long headers stream by stream', async () => {
  await using pair = await listenForPair({ onStream: (stream) => stream.accept() })
  using visitor = await rawVisitor(pair.port)
  for (const size of [9000, 32_000, 60_000]) {
    await expect(visitor.open({ ':authority': 'a'.repeat(size) })).rejects.toThrow()
    await expect(visitor.open({ 'beam-secret': 'a'.repeat(size) })).rejects.toThrow()
  }
  expect((await visitor.open()).status).toBe(200)
})
