import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveLine } from '../../../cli/output/live-line.ts'
import { LiveProgress } from '../../../cli/output/live-progress.ts'
import { ProgressLine } from '../../../cli/output/progress-line.ts'

/** A terminal that knows what can be read on it. */
class Screen {
  readonly isTTY: boolean = true
  readonly columns: number
  readonly lines: string[] = []
  line = ''
  written = 0

  constructor(columns = 80) {
    this.columns = columns
  }

  write(text: string): void {
    this.written += 1
    for (const [index, part] of text.split('\r\u001B[K').entries()) {
      if (index > 0) this.line = ''
      const parts = part.split('\n')
      this.line += parts[0] ?? ''
      for (const next of parts.slice(1)) {
        this.lines.push(this.line)
        this.line = next
      }
    }
  }
}

beforeEach(() => void vi.stubEnv('NO_COLOR', '1'))
afterEach(() => void vi.unstubAllEnvs())

const bootstrap = (percent: number, message = 'Loading'): { phase: string; percent: number; message: string } => ({
  phase: 'bootstrap',
  percent,
  message,
})

describe('ProgressLine', () => {
  it('shows a bar, the percentage, the message and the time', () => {
    const line = new ProgressLine()
    line.update('a', 'tor', bootstrap(45), 0)
    expect(line.text(80, 1_000)).toBe('tor  █████████░░░░░░░░░░░  45 %  Loading')
    expect(line.text(80, 72_000)).toBe('tor  █████████░░░░░░░░░░░  45 %  Loading  1:12')
    line.update('a', 'tor', { phase: 'publishing', message: 'Publishing' }, 73_000)
    expect(line.text(80, 73_000)).toBe('tor  Publishing  1:13')
  })

  it('does without the bar, and cuts the message, where there is no room', () => {
    const line = new ProgressLine()
    line.update('a', 'tor', bootstrap(45, 'm'.repeat(30)), 0)
    expect(line.text(50, 0)).toBe(`tor   45 %  ${'m'.repeat(30)}`)
    expect(line.fits('a', 50, 0)).toBe(true)
    expect(line.fits('a', 20, 0)).toBe(false)
    expect(line.text(20, 0)).toBe('tor 45 %')
    expect(line.text(5, 0)).toBe('tor …')
  })

  it('tells of several briefly', () => {
    const line = new ProgressLine()
    line.update('t1 tor', 'tor', bootstrap(45), 0)
    line.update('t1 i2p', 'i2p', { phase: 'building', message: 'm' }, 0)
    expect(line.text(80, 5_000)).toBe('tor 45 % · i2p building  0:05')
    line.remove('t1 tor')
    expect(line.text(80, 0)).toBe('i2p  m')
    line.remove('t1 ')
    expect(line.empty).toBe(true)
    expect(line.text(80, 0)).toBe('')
  })
})

describe('LiveProgress', () => {
  it('writes over its own line, and leaves what is to stay above it', () => {
    const screen = new Screen()
    const live = new LiveProgress(new LiveLine(screen, {}), screen)
    live.report('t1 tor', 'tor', bootstrap(10))
    live.report('t1 tor', 'tor', bootstrap(20))
    live.write(screen, 'Warning\n')
    expect(screen.lines).toEqual(['Warning'])
    expect(screen.line).toContain(' 20 %  Loading')
    live.done('t1 ')
    live.write(screen, 'ready\n')
    expect(screen).toMatchObject({ lines: ['Warning', 'ready'], line: '' })
  })

  it('spells a message out that does not fit, once', () => {
    const screen = new Screen(60)
    const live = new LiveProgress(new LiveLine(screen, {}), screen)
    const message = 'Connecting (the clock of this machine is wrong by two hours, so that no relay is believed)'
    for (const percent of [10, 10, 11]) live.report('t1 tor', 'tor', bootstrap(percent, message))
    expect(screen.lines).toEqual(['tor: Connecting (the clock of this machine is wrong by two', 'hours, so that no relay is believed)'])
    expect(screen.line.length).toBeLessThan(60)
    live.done('')
  })

  it('counts the time while nothing is said', () => {
    vi.useFakeTimers()
    try {
      const screen = new Screen()
      const onTick = vi.fn()
      const live = new LiveProgress(new LiveLine(screen, {}), screen, onTick)
      live.report('t1 tor', 'tor', bootstrap(10))
      vi.advanceTimersByTime(5_000)
      expect(screen.line).toMatch(/ {2}0:05$/)
      expect(onTick).toHaveBeenCalledTimes(5)
      live.done('')
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('LiveLine', () => {
  it.each([
    ['no terminal', { isTTY: false }, {}],
    ['a terminal that can do nothing', { isTTY: true }, { TERM: 'dumb' }],
  ])('is left out on %s', (_, { isTTY }, env) => {
    const written: string[] = []
    const line = new LiveLine({ isTTY, write: (text) => written.push(text) }, env)
    line.show('text')
    line.hide()
    expect(line.able).toBe(false)
    expect(written).toEqual([])
  })

  it('erases only what it wrote', () => {
    const screen = new Screen()
    const line = new LiveLine(screen, {})
    line.hide()
    expect(screen.written).toBe(0)
    line.show('text')
    line.hide()
    line.hide()
    expect(screen.written).toBe(2)
  })
})
