import pc from 'picocolors'

/** Functions that colour a text, or leave it as it is. */
export type Colours = Pick<ReturnType<typeof pc.createColors>, 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'>

/** Whether a stream gets colours: a terminal, unless NO_COLOR (any value) or TERM=dumb; FORCE_COLOR insists. */
export function wantsColour(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** Colours for a stream. */
export function colours(stream: { readonly isTTY?: boolean }): Colours {
  return pc.createColors(wantsColour(stream))
}
