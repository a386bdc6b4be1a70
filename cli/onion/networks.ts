/** A network with onion services, as its commands name it. */
export interface OnionNetwork {
  /** The backend, and the first word of the commands. */
  readonly backend: 'tor' | 'ator'
  readonly title: string
  /** Last label of its addresses. */
  readonly suffix: string
}

/** Tor. */
export const TOR: OnionNetwork = { backend: 'tor', title: 'Tor', suffix: 'onion' }

/** Anyone (ATOR). */
export const ATOR: OnionNetwork = { backend: 'ator', title: 'Anyone (ATOR)', suffix: 'anon' }
