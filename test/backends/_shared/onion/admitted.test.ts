import { expect, it } from 'vitest'
import { shutsOut, type Admitted } from '../../../../backends/_shared/onion/service/admitted.ts'

it.each<[string, Admitted, Admitted, boolean]>([
  ['one more visitor', ['a'], ['a', 'b'], false],
  ['the first key of an open service', 'everybody', ['a'], true],
  ['an open service that lets nobody in', 'everybody', [], true],
  ['a key taken away', ['a', 'b'], ['a'], true],
  ['a new key in place of another', ['a', 'b'], ['a', 'c'], true],
  ['a service that is opened', ['a'], 'everybody', false],
  ['nothing changed', ['a', 'b'], ['b', 'a'], false],
  ['an open service as before', 'everybody', 'everybody', false],
])('%s', (_, before, now, shuts) => expect(shutsOut(before, now)).toBe(shuts))
