/** A backend that Beam has heard of. */
export interface KnownBackend {
  readonly name: string
  /** How to get it, when it is not installed. */
  readonly hint?: string
}

const NOT_YET = 'This version of Beam does not contain it. A package that provides it can be named under plugins.'

/** The networks that Beam knows by name, whether or not this installation contains a backend for them. */
export const KNOWN_BACKENDS: readonly KnownBackend[] = [
  { name: 'mesh' },
  { name: 'tor' },
  { name: 'ator' },
  { name: 'i2p' },
  { name: 'nym', hint: NOT_YET },
  { name: 'veilid', hint: NOT_YET },
  { name: 'freenet', hint: NOT_YET },
  { name: 'zeronet', hint: NOT_YET },
  { name: 'zkn', hint: NOT_YET },
  { name: 'anonet' },
]
