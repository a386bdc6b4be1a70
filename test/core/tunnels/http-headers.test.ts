import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedHeaders, checkHttpOptions, hasBody, localHost, pairs, valuesOf } from '../../../core/tunnels/http-headers.ts'

const nothing = { drop: new Set<string>(), add: {} }

describe('changedHeaders', () => {
  it('keeps order, case and duplicates of what it has nothing to do with', () => {
    const headers = ['Host', 'a', 'X-One', '1', 'x-one', '2', 'Cookie', 'c=1; d="2"', 'Set-Cookie', 'a', 'Set-Cookie', 'b']
    expect(changedHeaders(headers, nothing)).toEqual(headers)
  })

  it('leaves out what belongs to the connection, also by name', () => {
    const headers = [
      'Connection',
      'close, X-Secret',
      'X-Secret',
      's',
      'Keep-Alive',
      'timeout=5',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'h2c',
      'A',
      'b',
    ]
    expect(changedHeaders(headers, nothing)).toEqual(['A', 'b'])
    expect(changedHeaders(['Connection', 'Upgrade', 'Upgrade', 'websocket'], { ...nothing, upgrade: true })).toEqual([
      'Connection',
      'Upgrade',
      'Upgrade',
      'websocket',
    ])
  })

  it('drops and replaces whatever the case', () => {
    const headers = ['X-I2P-DestB32', 'forged', 'COOKIE', 'c', 'server', 'nginx']
    expect(changedHeaders(headers, { drop: new Set(['cookie']), add: { 'x-i2p-destb32': 'real', Server: 'none' } })).toEqual([
      'x-i2p-destb32',
      'real',
      'Server',
      'none',
    ])
  })

  it('changes the host, and the origin and the target of a redirect where they are the same', () => {
    const host = { from: 'abc.onion', to: 'localhost:3000' }
    expect(
      changedHeaders(['host', 'abc.onion', 'Origin', 'http://abc.onion', 'Referer', 'http://abc.onion/x'], { ...nothing, host }),
    ).toEqual(['host', 'localhost:3000', 'Origin', 'http://localhost:3000', 'Referer', 'http://abc.onion/x'])
    expect(changedHeaders(['Origin', 'http://evil.example', 'Location', 'https://ABC.onion/a?b#c'], { ...nothing, host })).toEqual([
      'Origin',
      'http://evil.example',
      'Location',
      'https://localhost:3000/a?b#c',
    ])
    expect(changedHeaders(['Origin', 'null', 'Origin', 'http://abc.onion.evil'], { ...nothing, host })).toEqual([
      'Origin',
      'null',
      'Origin',
      'http://abc.onion.evil',
    ])
  })

  it('never lets through what is dropped or forged, whatever comes', () => {
    const name = fc.constantFrom('Host', 'host', 'X-Key', 'x-key', 'X-KEY', 'Cookie', 'Connection', 'Other')
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string()), { maxLength: 20 }), (list) => {
        const changed = changedHeaders(list.flat(), { drop: new Set(['cookie']), add: { 'X-Key': 'real' }, host: { from: 'x', to: 'y' } })
        expect(changed.length % 2).toBe(0)
        expect(valuesOf(changed, 'x-key')).toEqual(['real'])
        expect(valuesOf(changed, 'cookie')).toEqual([])
        expect(valuesOf(changed, 'host').every((value) => value === 'y')).toBe(true)
      }),
    )
  })
})

describe('the headers of a message', () => {
  it('say whether a body follows', () => {
    expect(hasBody(['Content-Length', '0'])).toBe(false)
    expect(hasBody(['content-length', '5'])).toBe(true)
    expect(hasBody(['TRANSFER-ENCODING', 'chunked'])).toBe(true)
    expect(hasBody([])).toBe(false)
    expect(pairs(['a', 'b', 'c', 'd'])).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
  })

  it.each([
    [{ host: 'localhost', port: 3000 }, 'localhost:3000'],
    [{ host: 'localhost', port: 80 }, 'localhost'],
    [{ host: '::1', port: 8080 }, '[::1]:8080'],
  ])('of a local visitor of %o name %s', (target, expected) => expect(localHost(target)).toBe(expected))
})

describe('checkHttpOptions', () => {
  it.each([
    { hostHeader: 'localhost:3000' },
    { hostHeader: 'rewrite' },
    { hostHeader: '[::1]:80' },
    { dropRequestHeaders: ['Cookie'], responseHeaders: { 'Onion-Location': 'http://abc.onion/' } },
  ])('takes %o', (options) => expect(() => checkHttpOptions(options)).not.toThrow())

  it.each([
    { hostHeader: '' },
    { hostHeader: 'a b' },
    { hostHeader: 'a\r\nX: y' },
    { hostHeader: 'a/b' },
    { hostHeader: 'x'.repeat(256) },
    { dropRequestHeaders: ['a b'] },
    { dropRequestHeaders: ['Content-Length'] },
    { dropRequestHeaders: Array.from({ length: 65 }, (_, index) => `x-${index}`) },
    { responseHeaders: { 'x:y': 'z' } },
    { responseHeaders: { x: 'a\r\nb: c' } },
    { responseHeaders: { x: 'ü' } },
    { responseHeaders: { 'transfer-encoding': 'chunked' } },
  ])('refuses %o', (options) => expect(() => checkHttpOptions(options)).toThrow(expect.objectContaining({ kind: 'config' }) as Error))
})
