/** A node as it is shown when it is up. */
export interface NodeView {
  readonly id: string
  readonly addresses: readonly string[]
  readonly participation: string
  /** What it does for others. */
  readonly serves: readonly string[]
  /** Where others start their DHT from it. */
  readonly bootstrap: readonly string[]
}

/** What each service means for the one who runs the node. */
const MEANINGS: Readonly<Record<string, string>> = {
  bootstrap: 'It stores records and routes for others in the DHT.',
  rendezvous: 'It holds what publishers register with it, and tells whoever asks.',
  relay: 'It relays for others within limits, and cannot read what it relays.',
}
/** How far the limits go. */
const AS_A_SERVER = 'It relays for others, as much as a server spares, and cannot read what it relays.'

/** The text for people. */
export function nodeText({ id, addresses, participation, serves, bootstrap }: NodeView): string {
  const where =
    addresses.length === 0
      ? ['No address of this machine can be dialled by others; it is linked to those that it dials itself.']
      : ['Others link to it at:', ...addresses.map((address) => `  ${address}`)]
  const does = serves.map((service) => (service === 'relay' && participation === 'full' ? AS_A_SERVER : (MEANINGS[service] ?? service)))
  const begins = bootstrap.length === 0 ? [] : ['Others start their DHT from it with:', `  BEAM_P2P_BOOTSTRAP=${bootstrap.join(',')}`]
  return `${[`Node ${id}`, ...(does.length === 0 ? ['It does nothing for others.'] : does), ...where, ...begins].join('\n')}\n`
}
