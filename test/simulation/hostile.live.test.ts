import { it } from 'vitest'
import { expectToWithstand } from './attack.ts'

it('two hundred nodes, of which sixty are hostile: the others get along as if they were alone', { timeout: 240_000 }, async () => {
  await expectToWithstand({ good: 140, bad: 60 })
})
