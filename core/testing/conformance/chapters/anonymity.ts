import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { readExactly } from '../bytes.ts'
import type { Case } from '../case.ts'
import { ProcessObserver, type Observation } from '../observe.ts'
import { echo } from '../service.ts'
import type { Stage } from '../stage.ts'

/** What the backend says it hides, as far as it can be seen from the ends. */
export const anonymity: readonly Case[] = [
  {
    id: 'no-direct-connection',
    limitMs: 20_000,
    async run(stage) {
      const { directConnections } = await observed(stage)
      assert.deepEqual(directConnections, [], 'the two ends are connected directly')
    },
  },
  {
    id: 'no-dns-lookup',
    limitMs: 20_000,
    async run(stage) {
      const { lookups } = await observed(stage)
      assert.deepEqual(lookups, [], 'names were looked up in the DNS')
    },
  },
  {
    id: 'visitor-address-hidden',
    async run(stage) {
      if ((await stage.capabilities()).exposesVisitorIp)
        stage.skip('the network shows the publisher a visitor’s address, by its own statement')
      const told: Array<string | undefined> = []
      const onStream = (stream: Duplex, visitor: { readonly remoteAddress?: string }): void => {
        told.push(visitor.remoteAddress)
        stream.on('error', () => {})
        stream.pipe(stream)
      }
      const { address } = await stage.tunnel(echo, { onStream })
      const stream = await stage.dial(address)
      stream.write('ping')
      await readExactly(stream, 4)
      assert.deepEqual(told, [undefined], 'the publisher was told the visitor’s address')
    },
  },
]

/** Brings both ends up, publishes, dials and exchanges some bytes under observation. */
async function observed(stage: Stage): Promise<Observation> {
  const observer = stage.fixture.observe?.() ?? new ProcessObserver(() => stage.servicePorts)
  try {
    const { exposesPublisherIp, exposesVisitorIp } = await stage.capabilities()
    if (exposesPublisherIp && exposesVisitorIp) stage.skip('the network shows both ends each other’s address, by its own statement')
    const { address } = await stage.tunnel(echo)
    const visitor = await stage.visitor()
    await visitor.reach(address, { signal: stage.signal })
    const stream = await stage.dial(address)
    stream.write('ping')
    await readExactly(stream, 4)
  } catch (error) {
    await observer.stop()
    throw error
  }
  return observer.stop()
}
