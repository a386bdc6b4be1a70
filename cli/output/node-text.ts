/** A node as it is shown when it is up. */
export interface NodeView {
  readonly id: string
  readonly addresses: readonly string[]
  readonly participation: string
}

/** What each participation means for the one who runs the node. */
const MEANINGS: Readonly<Record<string, string>> = {
  light: 'It does nothing for others.',
  routing: 'It relays for others within limits, and cannot read what it relays.',
  full: 'It relays for others, as much as a server spares, and cannot read what it relays.',
}

/** The text for people. */
export function nodeText({ id, addresses, participation }: NodeView): string {
  const where =
    addresses.length === 0
      ? ['No address of this machine can be dialled by others; it is linked to those that it dials itself.']
      : ['Others link to it at:', ...addresses.map((address) => `  ${address}`)]
  return `${[`Node ${id}`, MEANINGS[participation] ?? '', ...where].filter((line) => line !== '').join('\n')}\n`
}
