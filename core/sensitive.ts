/** How much of the end of a sensitive value is shown: enough to tell two apart, too little to use it. */
const SHOWN_TAIL = 8
/** Of a short value, such as an IP address, that would be nearly all: at most a quarter is shown. */
const SHOWN_PART = 4

/**
 * An address, host name or IP address, shortened so that a log does not say who talks to whom: `[…]3fqd5yid`.
 * Private keys and secrets do not go through here: they never reach a log at all.
 */
export function sensitive(value: string): string {
  const shown = Math.min(SHOWN_TAIL, Math.floor(value.length / SHOWN_PART))
  return `[…]${value.slice(value.length - shown)}`
}
