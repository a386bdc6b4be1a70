import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReply } from '../../../../backends/i2p/sam/reply.ts'
import { isBeamError } from '../../../../core/index.ts'

const read = (line: string): unknown => {
  const { topic, type, values, rest } = parseReply(line)
  return { topic, type, values: Object.fromEntries(values), rest }
}

describe('parseReply reads what i2pd 2.45.1 says', () => {
  it.each([
    ['HELLO REPLY RESULT=OK VERSION=3.1', { topic: 'HELLO', type: 'REPLY', values: { RESULT: 'OK', VERSION: '3.1' } }],
    ['HELLO REPLY RESULT=NOVERSION', { topic: 'HELLO', type: 'REPLY', values: { RESULT: 'NOVERSION' } }],
    [
      'SESSION STATUS RESULT=I2P_ERROR MESSAGE="Socket already in use"',
      { topic: 'SESSION', type: 'STATUS', values: { RESULT: 'I2P_ERROR', MESSAGE: 'Socket already in use' } },
    ],
    ['STREAM STATUS RESULT=CANT_REACH_PEER', { topic: 'STREAM', type: 'STATUS', values: { RESULT: 'CANT_REACH_PEER' } }],
    [
      'NAMING REPLY RESULT=OK NAME=a.b32.i2p VALUE=AA-~AA==',
      { topic: 'NAMING', type: 'REPLY', values: { RESULT: 'OK', NAME: 'a.b32.i2p', VALUE: 'AA-~AA==' } },
    ],
    ['DEST REPLY PUB=x== PRIV=y==\r', { topic: 'DEST', type: 'REPLY', values: { PUB: 'x==', PRIV: 'y==' } }],
  ])('%s', (line, expected) => expect(read(line)).toMatchObject(expected))
})

describe('parseReply reads what the specification allows', () => {
  it.each([
    ['A B KEY', { KEY: '' }],
    ['A B  KEY=1   OTHER="x y"  ', { KEY: '1', OTHER: 'x y' }],
    ['A B M="say \\"hi\\" \\\\o/"', { M: 'say "hi" \\o/' }],
    ['A B M="never closed', { M: 'never closed' }],
    ['A B M=""', { M: '' }],
    ['A B =x', { '': 'x' }],
    // What comes later cannot change what was said first.
    ['A B RESULT=I2P_ERROR MESSAGE="x" RESULT=OK', { RESULT: 'I2P_ERROR', MESSAGE: 'x' }],
  ])('%s', (line, values) => expect(read(line)).toMatchObject({ topic: 'A', type: 'B', values }))

  it('PING with any text', () => expect(parseReply('PING 17 some text')).toMatchObject({ topic: 'PING', rest: '17 some text' }))
  it('PING alone', () => expect(parseReply('PING')).toMatchObject({ topic: 'PING', type: '', rest: '' }))
})

describe('parseReply refuses what is no SAM', () => {
  it.each([
    '',
    ' ',
    'HTTP/1.1 400 Bad Request',
    'ssh-2.0',
    'hello reply',
    'A B X=\u0000',
    'A B X=\u001b[31m',
    `A B ${'x '.repeat(100)}`.replaceAll(/x /g, (_) => `x${Math.random()} `),
  ])('%j', (line) => expect(() => parseReply(line)).toThrowError(expect.objectContaining({ kind: 'protocol' })))

  it('and any other text gives a reply or a ProtocolError that repeats nothing of it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('A', 'B', ' ', '=', '"', '\\', '\t', '\r') })), (text) => {
        try {
          parseReply(text)
        } catch (error) {
          if (!isBeamError(error) || error.kind !== 'protocol') throw error
          if (text.length > 3) expect(error.message).not.toContain(text)
        }
      }),
    )
  })

  it('and what is written as the specification says is read as it was', () => {
    const value = fc.string({ unit: fc.constantFrom('a', 'Z', '0', ' ', '"', '\\', '=', '~', '-', '+', '/', '.') })
    const key = fc.stringMatching(/^[A-Z_]{1,12}$/)
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 20 }), (pairs) => {
        const quoted = Object.entries(pairs).map(([name, text]) => `${name}="${text.replaceAll(/["\\]/g, (letter) => `\\${letter}`)}"`)
        expect(Object.fromEntries(parseReply(`A B ${quoted.join(' ')}`).values)).toEqual({ ...pairs })
      }),
    )
  })
})
