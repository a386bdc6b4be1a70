import type { Answers } from '../../network/answers.ts'
import type { Owner } from '../../network/ask.ts'
import { shares } from '../../network/figures.ts'
import type { Colours } from '../colours.ts'
import { foreignText } from '../foreign-text.ts'
import { wrap } from '../layout.ts'
import { countText, msText, ownerText, shortId } from './words.ts'

/** `beam network test`: what answered just now. */
export function testText({ running, peers, discovery }: Answers['test'], owner: Owner, columns: number, paint: Colours): string {
  const line = (good: boolean, text: string): string => {
    const [first = '', ...more] = wrap(text, columns - 4)
    return `  ${good ? paint.green('✓') : paint.red('✗')} ${[first, ...more.map((one) => `    ${one}`)].join('\n')}\n`
  }
  const on = discovery.filter(({ state }) => state !== 'off')
  return [
    `${paint.bold('Connectivity')}, ${ownerText(owner)}\n`,
    ...on.map(({ name, state, detail }) => {
      const more = detail === undefined ? '' : `: ${foreignText(detail)}`
      return state === 'idle' ? `  ${paint.dim('·')} ${name} not used yet${more}\n` : line(state === 'ready', `${name} ${state}${more}`)
    }),
    ...(running ? [] : [`  ${paint.dim('·')} no node is up: nothing needed one yet\n`]),
    ...(running && peers.length === 0 ? [line(false, 'no peers to ask')] : []),
    ...peers.map(({ id, ok, roundTripMs, reason }) =>
      line(ok, `${shortId(id)} ${ok ? `answered in ${msText(roundTripMs ?? 0)}` : `did not answer: ${foreignText(reason ?? '')}`}`),
    ),
    ...seen(peers, columns),
  ].join('')
}

/** Under which addresses the peers see this node, and what that says of the translator before it. */
function seen(peers: Answers['test']['peers'], columns: number): string[] {
  const places = peers.flatMap(({ observed }) => observed ?? [])
  const hosts = shares(places.map((place) => place.replace(/:\d+$/, '')))
  if (hosts.length === 0) return []
  const text = `Seen as ${hosts.map(({ of, count }) => `${of} by ${countText(count, 'peer')}`).join(', ')}.`
  return ['\n', ...wrap(text, columns - 2).map((one) => `  ${one}\n`)]
}

/** Whether anything could be reached. */
export function testPassed({ running, peers, discovery }: Answers['test']): boolean {
  if (discovery.some(({ state }) => state === 'unreachable')) return false
  return running ? peers.some(({ ok }) => ok) : true
}
