import type { Lifetime } from '../lifetime.ts'
import { colours, type Colours } from '../output/colours.ts'
import type { Frame, Size } from '../output/network/dashboard-text.ts'
import { STRETCHES } from '../output/network/period-text.ts'
import type { PeriodFigures } from './answers.ts'
import { askAnyway } from './ask.ts'
import { rateOf, type Look } from './changes.ts'
import type { CountryOf } from './geoip.ts'
import { looks } from './live.ts'
import { Screen } from './screen.ts'

/** The last hour, looked up this often: samples come once a minute. */
const HISTORY_MS = 3_600_000
const HISTORY_EVERY_MS = 30_000

/** Whether standard output is a terminal that can be drawn on. */
export function canDraw(): boolean {
  return process.stdout.isTTY && process.env['TERM'] !== 'dumb'
}

/** Shows the node with the most peers on the whole terminal, until the command is to end. */
export async function showFrames(
  lifetime: Lifetime,
  options: {
    readonly everyMs: number
    readonly history: boolean
    readonly countryOf: CountryOf | undefined
    readonly lines: (frame: Frame, size: Size, paint: Colours) => readonly string[]
  },
): Promise<void> {
  const paint = colours(process.stdout)
  // An error of the first look is to be seen where it was asked.
  const running = looks(lifetime, options.everyMs, { addresses: options.countryOf !== undefined })
  const first = await running.next()
  let frame: Frame | undefined
  let missing = 0
  const draw = (): void => {
    if (frame === undefined) return screen.draw(['No Beam process takes part in the mesh now. q ends.'])
    const { columns, rows } = screen.size
    const more = missing > 0 ? [paint.dim(`${missing} more of your nodes: beam network status`)] : []
    screen.draw([...options.lines(frame, { columns, rows: rows - more.length }, paint), ...more])
  }
  using screen = new Screen(process.stdout, process.stdin, { quit: () => lifetime.end('asked'), resized: draw })
  let before: Look | undefined
  let period: { readonly at: number; readonly figures: PeriodFigures } | undefined
  const show = async (look: Look): Promise<void> => {
    const [best, ...others] = look.nodes.toSorted((a, b) => b.peers.length - a.peers.length)
    missing = others.length
    if (options.history && look.at - (period?.at ?? 0) >= HISTORY_EVERY_MS) period = { at: look.at, figures: await lastHour() }
    const rate = best === undefined ? undefined : rateOf(best, look.at, before)
    before = look
    frame =
      best === undefined
        ? undefined
        : {
            snapshot: best,
            now: look.at,
            countryOf: options.countryOf,
            ...(rate === undefined ? {} : { bytesPerSecond: rate }),
            ...(period === undefined ? {} : { period: period.figures }),
          }
    if (!lifetime.signal.aborted) draw()
  }
  if (first.done !== true) await show(first.value)
  for await (const look of running) await show(look)
}

function lastHour(): Promise<PeriodFigures> {
  return askAnyway({ operation: 'history', shape: 'period', input: { periodMs: HISTORY_MS, buckets: STRETCHES } })
}
