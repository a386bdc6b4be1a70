import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBeamError } from '../../../core/errors.ts'
import { formatTarget, parsePort, parseServiceTarget } from '../../../cli/input/service-target.ts'

describe('parseServiceTarget', () => {
  it.each([
    ['3000', { port: 3000 }],
    [':3000', { port: 3000 }],
    ['db.lan:5432', { host: 'db.lan', port: 5432 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['[fe80::1%eth0]:80', { host: 'fe80::1%eth0', port: 80 }],
    ['http://localhost:3000/path', { host: 'localhost', port: 3000 }],
    ['http://example.lan', { host: 'example.lan', port: 80 }],
    ['HTTPS://example.lan/', { host: 'example.lan', port: 443 }],
    ['tcp://10.0.0.2:22', { host: '10.0.0.2', port: 22 }],
  ])('understands %s', (text, target) => expect(parseServiceTarget(text)).toEqual(target))

  it.each([
    ['0', 'BEAM_ERR_PORT_INVALID'],
    ['65536', 'BEAM_ERR_PORT_INVALID'],
    ['99999999999999999999', 'BEAM_ERR_PORT_INVALID'],
    ['host:0', 'BEAM_ERR_PORT_INVALID'],
    ['host', 'BEAM_ERR_USAGE'],
    ['tcp://host', 'BEAM_ERR_USAGE'],
    ['udp://host:53', 'BEAM_ERR_USAGE'],
    ['unix:///run/x.sock', 'BEAM_ERR_USAGE'],
    ['3000/path', 'BEAM_ERR_USAGE'],
    ['', 'BEAM_ERR_USAGE'],
    ['a b:3', 'BEAM_ERR_USAGE'],
  ])('refuses %s', (text, code) => expect(() => parseServiceTarget(text)).toThrow(expect.objectContaining({ code, kind: 'config' })))

  it('answers any text with a valid target or an error of ours', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const { port } = parseServiceTarget(text)
          expect(port).toBeGreaterThanOrEqual(1)
          expect(port).toBeLessThanOrEqual(65_535)
        } catch (error) {
          expect(isBeamError(error)).toBe(true)
        }
      }),
    )
  })

  it('reads back what formatTarget writes', () => {
    const host = fc.constantFrom('localhost', 'db.lan', '10.0.0.1', '::1', 'fe80::2')
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        expect(parseServiceTarget(formatTarget({ host: name, port }))).toEqual({ host: name, port })
      }),
    )
  })
})

describe('parsePort', () => {
  it('takes 0 only where any free port may be meant', () => {
    expect(parsePort('0', 0)).toBe(0)
    expect(() => parsePort('0', 1)).toThrow('between 1 and 65535')
  })

  it.each(['-1', '1.5', '1e3', ' 1', '', 'x', '0x10'])('refuses %s', (text) => expect(() => parsePort(text, 0)).toThrow('is no port'))
})
