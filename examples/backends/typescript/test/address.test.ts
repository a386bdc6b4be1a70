import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatAddress, parseAddress } from '../src/address.ts'

describe('addresses', () => {
  it('are read as they are written', () => {
    for (const port of [1, 40_123, 65_535]) assert.equal(parseAddress(formatAddress(port)), port)
  })

  it('of other networks, or with an impossible port, are none', () => {
    for (const text of [
      '',
      'tin-can://',
      'tin-can://127.0.0.1:0',
      'tin-can://127.0.0.1:65536',
      'tin-can://192.0.2.1:80',
      'http://127.0.0.1:80',
    ]) {
      assert.equal(parseAddress(text), undefined)
    }
  })
})
