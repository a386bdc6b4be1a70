import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isEvent,
  MAX_LINE_BYTES,
  MAX_MESSAGE_BYTES,
  MessageParser,
  type Message,
} from '../../../../backends/_shared/onion/control/reply.ts'
import { isBeamError } from '../../../../core/index.ts'

const parse = (...chunks: ReadonlyArray<string | Uint8Array>): Message[] => {
  const parser = new MessageParser()
  return chunks.flatMap((chunk) => parser.push(Buffer.from(chunk as string, 'latin1')))
}

/** Transcripts of real daemons: `> ` what was sent, `< ` what came. */
const FOLDER = join(import.meta.dirname, '../../../fixtures/onion')
const transcripts = readdirSync(FOLDER).filter((name) => name.endsWith('.transcript.txt'))
const received = (name: string): string =>
  readFileSync(join(FOLDER, name), 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('< ') ? [`${line.slice(2)}\r\n`] : line === '<' ? ['\r\n'] : []))
    .join('')

describe('messages of the control protocol', () => {
  it.each(transcripts)('of %s are read as they came', async (name) => {
    const messages = parse(received(name))
    const shown = messages.map((message) => `${JSON.stringify(message)}\n`).join('')
    await expect(shown).toMatchFileSnapshot(join(FOLDER, name.replace('.transcript.txt', '.messages.txt')))
    expect(messages.length).toBeGreaterThan(20)
  })

  it.each(transcripts)('of %s are the same however they are cut', (name) => {
    const bytes = Buffer.from(received(name), 'latin1')
    const whole = parse(bytes)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end))
        expect(parse(...pieces)).toEqual(whole)
      }),
      { numRuns: 50 },
    )
  })

  it('may have data blocks in several lines, and dots in them', () => {
    expect(parse('250+a=\r\n..x\r\n.y\r\n\r\n.\r\n250-b=1\r\n250 OK\r\n')).toEqual([
      { code: 250, lines: [{ text: 'a=', data: '.x\ny\n' }, { text: 'b=1' }, { text: 'OK' }] },
    ])
  })

  it('are events with a code from 600 on, with data blocks too', () => {
    const [event] = parse('650+HS_DESC_CONTENT x\r\nhello\r\n.\r\n650 OK\r\n')
    expect(event).toEqual({ code: 650, lines: [{ text: 'HS_DESC_CONTENT x', data: 'hello' }, { text: 'OK' }] })
    expect(isEvent(event as Message)).toBe(true)
    expect(isEvent({ code: 250, lines: [{ text: '' }] })).toBe(false)
  })

  it.each([
    ['another program', 'HTTP/1.0 400 Bad Request\r\n'],
    ['an empty line', '\r\n'],
    ['a code without text', '250\r\n'],
    ['different codes in one reply', '250-a\r\n251 b\r\n'],
    ['an endless line', 'a'.repeat(MAX_LINE_BYTES + 1)],
    ['endless lines', '250-x\r\n'.repeat(MAX_MESSAGE_BYTES / 6 + 1)],
    ['an endless block', `250+x\r\n${'\r\n'.repeat(MAX_MESSAGE_BYTES)}`],
  ])('refuse %s', (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ kind: 'protocol', code: 'BEAM_ERR_CONTROL_PORT' }))
  })

  it('are messages or a typed error, whatever comes', () => {
    const line = fc.oneof(
      fc
        .tuple(fc.integer({ min: 0, max: 999 }), fc.constantFrom('-', '+', ' ', 'x'), fc.string())
        .map(([code, sep, text]) => `${code}${sep}${text}\r\n`),
      fc.constantFrom('.\r\n', '..\r\n', '\n', '250 OK\r\n'),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            line.map((text) => Buffer.from(text, 'latin1')),
            fc.uint8Array({ maxLength: 300 }),
          ),
          { maxLength: 30 },
        ),
        (chunks) => {
          const parser = new MessageParser()
          try {
            for (const message of chunks.flatMap((chunk) => parser.push(chunk))) {
              expect(message.lines.length).toBeGreaterThan(0)
              expect(message.code).toBeLessThan(1000)
            }
          } catch (error) {
            expect(isBeamError(error) && error.kind).toBe('protocol')
          }
        },
      ),
    )
  })
})
