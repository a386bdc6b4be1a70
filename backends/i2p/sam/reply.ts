import { ProtocolError } from '../../../core/index.ts'

/** More pairs than any reply has: a line of 64 KiB could hold thirty thousand. */
const MAX_PAIRS = 64

/** One line of a SAM router: `STREAM STATUS RESULT=OK MESSAGE="a b"`. */
export interface SamReply {
  readonly topic: string
  /** Empty for lines of one word. */
  readonly type: string
  readonly values: ReadonlyMap<string, string>
  /** What follows the topic, as it stands: `PING` and `PONG` carry any text. */
  readonly rest: string
}

/**
 * Reads a line, without I/O (https://geti2p.net/en/docs/api/samv3). It takes what routers send and the specification allows: quoted values
 * with escapes, keys without `=`, values that hold `=`, and a carriage return at the end.
 * @throws ProtocolError for what is no line of SAM
 */
export function parseReply(line: string): SamReply {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  const [, topic, rest = ''] = /^([A-Z][A-Z0-9_]*)(?: +(.*))?$/s.exec(text) ?? []
  if (topic === undefined || hasControl(rest)) throw notSam()
  const [, type = '', pairs = ''] = /^([A-Z][A-Z0-9_]*)(?: +(.*))?$/s.exec(rest) ?? /^()(.*)$/s.exec(rest) ?? []
  return { topic, type, values: parsePairs(pairs), rest }
}

/** Control characters but the tab, which no reply has. Bytes above 127 appear in messages for people. */
function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code < 32 && code !== 9) || code === 127) return true
  }
  return false
}

/** The value of a key; the empty text where it is absent. */
export function valueOf(reply: SamReply, key: string): string {
  return reply.values.get(key) ?? ''
}

/** `A=1 B="two words" C` as a map. Text that is no pair stands under its own name with an empty value. */
function parsePairs(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  let at = 0
  while (at < text.length) {
    if (text[at] === ' ' || text[at] === '\t') {
      at++
      continue
    }
    if (values.size >= MAX_PAIRS) throw notSam()
    const keyStart = at
    while (at < text.length && text[at] !== '=' && text[at] !== ' ' && text[at] !== '\t') at++
    const key = text.slice(keyStart, at)
    if (text[at] !== '=') {
      values.set(key, '')
      continue
    }
    at++
    const [value, next] = text[at] === '"' ? quoted(text, at + 1) : bare(text, at)
    // The first one counts: what follows a status may be chosen by somebody else.
    if (!values.has(key)) values.set(key, value)
    at = next
  }
  return values
}

/** A value up to the closing quote; one that is never closed ends with the line. */
function quoted(text: string, start: number): readonly [string, number] {
  let value = ''
  let at = start
  for (; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === '\\' && at + 1 < text.length) at++
    value += text[at]
  }
  return [value, at + 1]
}

function bare(text: string, start: number): readonly [string, number] {
  let at = start
  while (at < text.length && text[at] !== ' ' && text[at] !== '\t') at++
  return [text.slice(start, at), at]
}

/** Nothing of the line goes into the error: it may hold a private key. */
function notSam(): ProtocolError {
  return new ProtocolError('That is no line of SAM.')
}
