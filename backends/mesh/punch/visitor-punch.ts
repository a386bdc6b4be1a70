import type { Socket } from 'node:net'
import { encodeKey, type Link, type Logger } from '../../../core/index.ts'
import { decodePlace, encodePlace, observe } from './observe.ts'
import { PUNCH_TOPIC } from './publisher-punch.ts'
import { punchTcp } from './tcp-punch.ts'

/** The relay over which the two ends talk now. */
export interface MeetingPoint {
  readonly key: Uint8Array
  readonly host: string
  readonly port: number
}

/**
 * The visitor's half of a direct connection through two address translators: over the relayed link both ends tell where the relay sees
 * them, and connect to each other at once.
 * @throws UnreachableError when the publisher does not take part or the translators do not allow it; TimeoutError
 */
export async function punchAsVisitor(
  link: Link,
  relay: MeetingPoint,
  options: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<Socket> {
  using mine = await observe(relay, options)
  const question = Buffer.concat([Buffer.from(`${encodeKey('node', relay.key)} `), encodePlace(mine)])
  const theirs = decodePlace(await link.ask(PUNCH_TOPIC, question, options.signal))
  return await punchTcp({ localPort: mine.localPort, ...theirs, signal: options.signal })
}
