import { expect, it } from 'vitest'
import { accessJudge, generateIdentity, secretHeaders } from '../../../core/index.ts'
import type { Asker } from '../../../core/link/link-listener.ts'

const service = generateIdentity().publicKey

/** A link of its own: each has its own keying material. */
function asker(number: number): Asker {
  const material = Buffer.alloc(32, number)
  return { peerKey: Buffer.from(generateIdentity().publicKey), remoteAddress: '127.0.0.1', exportKey: () => material }
}

it('bounds wrong secrets of all links together, and lets those go on who have proved theirs', async () => {
  const judge = accessJudge({ secret: 'right' }, service)
  const friend = asker(0)
  const right = await secretHeaders('right', service, friend.exportKey)
  expect(await judge(friend, right)).toBeUndefined()

  const guess = { 'beam-secret': '11'.repeat(32) }
  const answers: Array<number | undefined> = []
  for (let i = 1; i <= 200; i++) void judge(asker(i), guess)?.then((refusal) => answers.push(refusal?.status))
  await expect.poll(() => answers.length).toBe(168)
  expect(new Set(answers)).toEqual(new Set([503]))

  expect(judge(friend, {})).toBeUndefined()
  const late = asker(201)
  expect(await judge(late, await secretHeaders('right', service, late.exportKey))).toMatchObject({ status: 503 })
  await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(200)
  expect(await judge(late, await secretHeaders('right', service, late.exportKey))).toBeUndefined()
})

it('takes no proof of another link or service, and no secret that is nearly right', async () => {
  const judge = accessJudge({ secret: 'right' }, service)
  const mine = asker(1)
  const other = generateIdentity().publicKey
  const wrong = [
    await secretHeaders('right', service, asker(2).exportKey),
    await secretHeaders('right', other, mine.exportKey),
    await secretHeaders('Right', service, mine.exportKey),
    {},
    { 'beam-secret': 'not hexadecimal' },
  ]
  for (const refusal of await Promise.all(wrong.map(async (headers) => judge(mine, headers))))
    expect(refusal).toMatchObject({ status: 403 })
  expect(await judge(mine, await secretHeaders('right', service, mine.exportKey))).toBeUndefined()
})
