import { expect, it } from 'vitest'
import { silentLogger, type LogFields, type Logger } from '../../core/index.ts'
import { boundedLogger } from '../../plugins/bounded-logger.ts'

let now = 0
const clock = { now: () => now, monotonic: () => now, after: () => () => {}, every: () => () => {} }

function recorder(): { readonly logger: Logger; readonly lines: Array<readonly [string, LogFields | undefined]> } {
  const lines: Array<readonly [string, LogFields | undefined]> = []
  const write = (message: string, fields?: LogFields): void => void lines.push([message, fields])
  const logger: Logger = { ...silentLogger, info: write, warn: write, child: () => logger }
  return { logger, lines }
}

it('writes a readable part of a flood, and says how much it left out when the next second begins', () => {
  const { logger, lines } = recorder()
  const bounded = boundedLogger(logger, clock)
  const child = bounded.child({ part: 'x' })
  for (let count = 0; count < 500; count++) (count % 2 === 0 ? bounded : child).info('flood')
  expect(lines).toHaveLength(200)
  now += 1_000
  bounded.info('quiet again')
  expect(lines.slice(200)).toEqual([
    ['a plugin wrote too many log messages', { dropped: 300 }],
    ['quiet again', undefined],
  ])
})

it('shortens what is long', () => {
  const { logger, lines } = recorder()
  boundedLogger(logger, clock).info('m'.repeat(5_000), { text: 't'.repeat(10_000), number: 7 })
  const [message, fields] = lines[0] ?? []
  expect(message).toHaveLength(1_001)
  expect(String(fields?.['text'])).toHaveLength(4_097)
  expect(fields?.['number']).toBe(7)
})

it('never throws at the plugin', () => {
  const failing: Logger = {
    ...silentLogger,
    info: () => {
      throw new Error('full')
    },
    child: () => failing,
  }
  const bounded = boundedLogger(failing, clock)
  expect(() => bounded.info('x')).not.toThrow()
  expect(() => bounded.child(null as unknown as LogFields).info('x', 'no fields' as unknown as LogFields)).not.toThrow()
})
