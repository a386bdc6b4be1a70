import { generateIdentity, seedOf, type Announcement, type Found, type Identity } from '../../../../core/index.ts'

/** An announcement with a key of its own. */
export function announcementOf(fields: Partial<Announcement> = {}, identity: Identity = generateIdentity()): Announcement {
  return { serviceKey: identity.publicKey, seed: seedOf(identity), record: Buffer.alloc(300, 7), sequence: 10, port: 40_000, ...fields }
}

/** Everything that comes. */
export async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of list) found.push(one)
  return found
}

/** The `host:port` of the TCP contacts. */
export function tcpContacts(found: readonly Found[]): string[] {
  return found.flatMap(({ contacts }) => contacts.flatMap((contact) => (contact.kind === 'tcp' ? `${contact.host}:${contact.port}` : [])))
}

/** Waits until something is true; the test's own limit of time ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A signal for searches: far away, so that a search has to end by itself. */
export const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(15_000) })
