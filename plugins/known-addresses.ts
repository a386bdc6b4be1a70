/**
 * How the addresses of networks look that Beam knows by name. An address of a network that is not installed gets an answer that says so,
 * and is never taken for a name that other networks could be asked for (RFC 7686 section 2 forbids that for `.onion`).
 */
const PATTERNS: ReadonlyArray<readonly [backend: string, pattern: RegExp]> = [
  ['tor', /^(?:[a-z]+:\/\/)?[a-z2-7]{16,56}\.onion(?:[:/]|$)/i],
  ['ator', /^(?:[a-z]+:\/\/)?(?:[a-z2-7]{56}|anyone)\.anon(?:[:/]|$)/i],
  ['i2p', /^(?:[a-z]+:\/\/)?[a-z0-9.-]+\.i2p(?:[:/]|$)/i],
  ['veilid', /^VLD[0-9]:/],
  ['freenet', /^(?:freenet:)?(?:CHK|SSK|USK|KSK)@/],
  ['mesh', /^beam:\/\//i],
]

/** The network that an address belongs to by its form; undefined when the form tells nothing. */
export function networkOf(address: string): string | undefined {
  return PATTERNS.find(([, pattern]) => pattern.test(address.trim()))?.[0]
}
