import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { NetworkBackend } from '../../../backend.ts'
import { isMessageNetwork, type MessageNetwork } from '../../../powers.ts'
import { sleep } from '../../../clock.ts'
import type { Case } from '../case.ts'
import { outcome } from '../outcome.ts'
import { echo } from '../service.ts'
import type { Stage } from '../stage.ts'

/** Different messages that are sent: some may get lost, all of them do not. */
const MESSAGES = 20
/** How long is waited for messages, in milliseconds on loopback. */
const ARRIVAL_MS = 500

/** Single messages: bounded, in no promised order, perhaps lost. */
export const messages: readonly Case[] = [
  {
    id: 'message-exact',
    limitMs: 30_000,
    async run(stage) {
      const { publisher, sender, address } = await mailbox(stage)
      const heard: Uint8Array[] = []
      publisher.onMessage((message) => heard.push(message))
      const lengths = [
        1,
        sender.maxMessageBytes,
        ...Array.from({ length: MESSAGES - 2 }, (_, index) => 1 + ((index * 977) % sender.maxMessageBytes)),
      ]
      const sent = lengths.map((length) => randomBytes(length))
      for (const message of sent) await sender.send(address, message, { signal: stage.signal })
      await untilQuiet(stage, heard, sent.length)
      // Neither the order nor the arrival of each is promised: only that nothing else arrives, and that it is not all lost.
      assert.ok(heard.length > 0, 'no message arrived')
      for (const message of heard)
        assert.ok(
          sent.some((one) => one.equals(message)),
          'a message arrived that was not sent',
        )
    },
  },
  {
    id: 'message-size-limit',
    async run(stage) {
      const { sender, address } = await mailbox(stage)
      assert.ok(sender.maxMessageBytes > 0, 'the limit is not positive')
      const result = await outcome(() => sender.send(address, Buffer.alloc(sender.maxMessageBytes + 1), { signal: stage.signal }))
      assert.equal(result.ok, false, 'a message above the limit was taken')
    },
  },
  {
    id: 'message-unsubscribe',
    async run(stage) {
      const { publisher, sender, address } = await mailbox(stage)
      let early = 0
      const late: Uint8Array[] = []
      const unsubscribe = publisher.onMessage(() => (early += 1))
      unsubscribe()
      publisher.onMessage((message) => late.push(message))
      for (let count = 0; count < MESSAGES; count += 1) await sender.send(address, Buffer.from('x'), { signal: stage.signal })
      await untilQuiet(stage, late, MESSAGES)
      assert.ok(late.length > 0, 'no message arrived')
      assert.equal(early, 0, 'messages arrived after unsubscribing')
    },
  },
]

type Mailbox = {
  readonly publisher: NetworkBackend & MessageNetwork
  readonly sender: NetworkBackend & MessageNetwork
  readonly address: string
}

async function mailbox(stage: Stage): Promise<Mailbox> {
  const publisher = await stage.publisher()
  if (!isMessageNetwork(publisher)) return stage.skip('the backend carries no single messages')
  const sender = stage.fixture.pair === undefined ? publisher : await stage.visitor()
  if (!isMessageNetwork(sender)) return stage.skip('the second backend carries no single messages')
  const { endpoints } = await stage.publish((await stage.service(echo)).port)
  return { publisher, sender, address: endpoints[0]?.address ?? assert.fail('the tunnel has no endpoint') }
}

/** Waits for `wanted` messages, or until time is up. */
async function untilQuiet(stage: Stage, heard: readonly unknown[], wanted: number): Promise<void> {
  const step = stage.ms(ARRIVAL_MS) / 20
  for (let waited = 0; waited < 20 && heard.length < wanted; waited += 1) await sleep(step, { signal: stage.signal })
}
