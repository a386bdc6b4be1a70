import assert from 'node:assert/strict'
import type { AccessPolicy } from '../../../backend.ts'
import type { DialOptions } from '../../../powers.ts'
import { encodeKey } from '../../../identity/address.ts'
import { generateIdentity } from '../../../identity/identity.ts'
import { ending, readExactly } from '../bytes.ts'
import type { Case } from '../case.ts'
import { outcome } from '../outcome.ts'
import { echo } from '../service.ts'
import type { Stage } from '../stage.ts'

/** How long a refusal may take to be felt, in milliseconds on loopback. */
const REFUSAL_LIMIT_MS = 5_000

/** Who gets in. */
export const access: readonly Case[] = [
  {
    id: 'access-allowed',
    async run(stage) {
      const [identity, other] = [generateIdentity(), generateIdentity()]
      const allow = [other, identity].map(({ publicKey }) => encodeKey('visitor', publicKey))
      await assertLetIn(stage, { allow }, { identity })
    },
  },
  {
    id: 'access-refused',
    async run(stage) {
      const allow = [encodeKey('visitor', generateIdentity().publicKey)]
      await assertKeptOut(stage, { allow }, [{}, { identity: generateIdentity() }])
    },
  },
  { id: 'access-secret-right', run: (stage) => assertLetIn(stage, { secret: 'open sesame' }, { secret: 'open sesame' }) },
  {
    id: 'access-secret-wrong',
    run: (stage) =>
      assertKeptOut(stage, { secret: 'open sesame' }, [{}, { secret: '' }, { secret: 'open barley' }, { secret: 'open sesame ' }]),
  },
]

async function needsAccessControl(stage: Stage): Promise<void> {
  if (!(await stage.capabilities()).accessControl) stage.skip('the backend does not control access, by its own statement')
}

async function assertLetIn(stage: Stage, policy: AccessPolicy, visitor: DialOptions): Promise<void> {
  await needsAccessControl(stage)
  const { address } = await stage.tunnel(echo, { access: policy })
  const stream = await stage.dial(address, visitor)
  stream.write('ping')
  assert.equal((await stage.within(readExactly(stream, 4), REFUSAL_LIMIT_MS, 'The answer')).toString(), 'ping')
}

/** A refusal may come as a failed dial or as a reset; what counts is that the service never hears of it. */
async function assertKeptOut(stage: Stage, policy: AccessPolicy, visitors: readonly DialOptions[]): Promise<void> {
  await needsAccessControl(stage)
  const { address, service } = await stage.tunnel(echo, { access: policy })
  for (const visitor of visitors) {
    const dialled = await outcome(() => stage.dial(address, visitor))
    if (dialled.ok) {
      dialled.value.write('ping')
      assert.equal(
        await stage.within(ending(dialled.value), REFUSAL_LIMIT_MS, 'The refusal'),
        'reset',
        'a refused visitor got a proper end',
      )
    }
    assert.equal(service.connections, 0, `a visitor with ${JSON.stringify(Object.keys(visitor))} that is wrong reached the service`)
  }
}
