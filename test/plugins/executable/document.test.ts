import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as limits from '../../../plugins/executable/limits.ts'
import type { Method } from '../../../plugins/executable/messages.ts'
import { NOTIFICATION_NAMES, notificationProblem, paramsProblem, parseLine, resultProblem } from '../../../plugins/executable/schema.ts'

const text = readFileSync(new URL('../../../docs/executable-backends.md', import.meta.url), 'utf8')
const lines = [...text.matchAll(/^```transcript\n(.*?)^```/gms)].flatMap(([, block]) => (block ?? '').trimEnd().split('\n'))

interface Call {
  readonly id?: number
  readonly method: string
  readonly params: unknown
}

const fromBeam = lines.filter((line) => line.startsWith('> ')).map((line) => JSON.parse(line.slice(2)) as Call)
const fromExecutable = lines.filter((line) => line.startsWith('< ')).map((line) => line.slice(2))
const methods = Object.keys(limits.TIME_LIMITS_MS) as Method[]

/** The rows of a table, by their first cell. */
const row = (first: string): string | undefined =>
  text
    .split('\n')
    .find((line) => line.startsWith(`| ${first} |`))
    ?.split('|')[2]
    ?.trim()

describe('docs/executable-backends.md', () => {
  it('shows only messages of which the schemas approve', () => {
    expect(fromBeam.length + fromExecutable.length).toBe(lines.length)
    const asked = new Map<number, Method>()
    for (const { id, method, params } of fromBeam) {
      expect([method, paramsProblem(method as Method, params)]).toEqual([method, undefined])
      if (id !== undefined) asked.set(id, method as Method)
    }
    for (const line of fromExecutable) {
      const incoming = parseLine(Buffer.from(line))
      if (incoming.kind === 'garbage') throw new Error(`${line}: ${incoming.problem}`)
      if (incoming.kind === 'call') {
        const { method, params } = incoming.message
        expect([line, notificationProblem(method as (typeof NOTIFICATION_NAMES)[number], params)]).toEqual([line, undefined])
      } else {
        const method = asked.get(Number(incoming.message.id))
        expect([line, method]).not.toEqual([line, undefined])
        if (incoming.kind === 'success' && method !== undefined)
          expect([line, resultProblem(method, incoming.message.result)]).toEqual([line, undefined])
      }
    }
  })

  it('shows every method and every notification', () => {
    expect(new Set(fromBeam.map(({ method }) => method))).toEqual(new Set([...methods, 'cancel']))
    const told = fromExecutable.map((line) => (JSON.parse(line) as { method?: string }).method).filter((name) => name !== undefined)
    expect(new Set(told)).toEqual(new Set(NOTIFICATION_NAMES))
  })

  it('names the limits as they are', () => {
    for (const method of methods) expect([method, row(method)]).toEqual([method, String(limits.TIME_LIMITS_MS[method])])
    const rows: Readonly<Record<string, number>> = {
      'bytes of a line, in both directions': limits.MAX_LINE_BYTES,
      'requests without an answer at once': limits.MAX_PENDING_REQUESTS,
      'bytes that wait until the executable reads them': limits.MAX_UNREAD_BYTES,
      'messages in one second; more is a flood and ends the executable': limits.MAX_MESSAGES_PER_WINDOW,
      'bytes of messages in one second, likewise': limits.MAX_BYTES_PER_WINDOW,
      'lines of log passed on in one second (`log` and standard error, each); more are counted and dropped':
        limits.MAX_LOG_LINES_PER_WINDOW,
      tunnels: limits.MAX_TUNNELS,
      'visitors’ streams of one tunnel at once': limits.MAX_STREAMS_PER_TUNNEL,
      'connections to Beam that have not said their token yet': limits.MAX_UNPROVEN_STREAMS,
      'milliseconds until such a connection is closed': limits.TOKEN_TIMEOUT_MS,
      'bytes of the line with the token': limits.MAX_TOKEN_LINE_BYTES,
    }
    for (const [first, value] of Object.entries(rows)) expect([first, row(first.replaceAll('’', "'"))]).toEqual([first, String(value)])
    expect(limits.RATE_WINDOW_MS).toBe(1_000)
  })
})
