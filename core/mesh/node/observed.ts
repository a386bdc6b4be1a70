/** How a node tells others under which address it sees them: what an address translator made of theirs. */

/** The small request; the answer is `192.0.2.1 4001`. */
export const NODE_OBSERVED = 'node/observed'

/** The answer for a link's remote address (`192.0.2.1:4001`, `[2001:db8::1]:4001`); empty when the link runs over no socket. */
export function observedPlace(remoteAddress: string | undefined): Uint8Array {
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d+)$/i.exec(remoteAddress ?? '')
  if (match === null) return new Uint8Array()
  const host = (match[1] ?? match[2] ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
  return Buffer.from(`${host} ${match[3]}`)
}
