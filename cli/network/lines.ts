import type { Lifetime } from '../lifetime.ts'
import type { Colours } from '../output/colours.ts'
import { bytesText, msText, shortId } from '../output/network/words.ts'
import { changesBetween, figuresOf, type Change, type Look } from './changes.ts'
import { looks } from './live.ts'

/** Figures are told at least so often where nothing happens, and not with every look. */
const FIGURES_MS = 10_000

/** Writes what happens as lines, until the command is to end: JSON, or for people. */
export async function writeLines(
  lifetime: Lifetime,
  { everyMs, json, paint }: { readonly everyMs: number; readonly json: boolean; readonly paint: Colours },
): Promise<void> {
  let before: Look | undefined
  let told: Look | undefined
  for await (const look of looks(lifetime, everyMs)) {
    const changes = before === undefined ? [] : changesBetween(before, look)
    const due = told === undefined || changes.length > 0 || look.at - told.at >= FIGURES_MS
    const figures = due ? figuresOf(look, told) : []
    if (due) told = look
    before = look
    for (const change of [...changes, ...figures]) {
      process.stdout.write(`${json ? JSON.stringify(change) : changeText(change, paint)}\n`)
    }
  }
}

/** One line for people: the time of day, whose it is, and what happened. */
export function changeText(change: Change, paint: Colours): string {
  const time = paint.dim(new Date(change.at).toTimeString().slice(0, 8))
  const who = `${time} ${paint.dim(String(change.pid))}`
  switch (change.event) {
    case 'node-up':
      return `${who} ${paint.green('the node is up')}`
    case 'node-down':
      return `${who} ${paint.yellow('the node is gone')}`
    case 'peer-up':
      return `${who} ${paint.green('+')} peer ${shortId(change.peer)}${change.latencyMs === undefined ? '' : ` ${msText(change.latencyMs)}`}`
    case 'peer-down':
      return `${who} ${paint.red('-')} peer ${shortId(change.peer)}`
    case 'figures': {
      const parts = [
        `${change.peers} ${change.peers === 1 ? 'peer' : 'peers'}`,
        ...(change.latencyMs === undefined ? [] : [`latency ${msText(change.latencyMs)}`]),
        ...(change.streams === undefined ? [] : [`${change.streams} open for others`]),
        ...(change.bytesPerSecond === undefined ? [] : [`${bytesText(change.bytesPerSecond)}/s`]),
      ]
      return `${who} ${parts.join(', ')}`
    }
  }
}
