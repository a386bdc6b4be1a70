import { expect, it } from 'vitest'
import { networkOf } from '../../plugins/known-addresses.ts'

it.each([
  [`http://${'a'.repeat(56)}.onion`, 'tor'],
  [`${'a'.repeat(56)}.onion:80`, 'tor'],
  [`http://${'a'.repeat(56)}.anon`, 'ator'],
  ['anyone.anon', 'ator'],
  ['http://other.anon', undefined],
  ['http://stats.i2p/', 'i2p'],
  ['VLD0:abc', 'veilid'],
  ['USK@key/site/1', 'freenet'],
  ['beam://abc', 'mesh'],
  ['myapp.local', undefined],
  ['http://onion.example', undefined],
  ['memory://web', undefined],
])('%s belongs to %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
