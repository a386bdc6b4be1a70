/** How much of the end of a sensitive value is shown: enough to tell two apart, too little to use it. */
const SHOWN_TAIL = 8

/**
 * An address, host name or IP address, shortened so that a log does not say who talks to whom: `[…]3fqd5yid`.
 * Private keys and secrets do not go through here: they never reach a log at all.
 */
export function sensitive(value: string): string {
  return value.length <= SHOWN_TAIL ? '[…]' : `[…]${value.slice(-SHOWN_TAIL)}`
}
