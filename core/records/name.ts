import { createHash } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { ConfigError } from '../errors.ts'

/** Longest domain name in text form (RFC 1035 section 2.3.4, without the final dot). */
export const MAX_NAME_LENGTH = 253

/** Keeps a hash of a name apart from every other hash that Beam makes. */
const TOPIC_PREFIX = 'beam name topic v1\0'

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The one spelling of a domain that is signed, compared and announced: lower case, without a final dot, other scripts as Punycode (so two
 * names that look alike are seen to differ). `MyApp.local.` becomes `myapp.local`.
 * @throws ConfigError (`BEAM_ERR_NAME_INVALID`)
 */
export function normaliseName(name: string): string {
  // Nothing longer can be valid, and the conversion below need not see it.
  if (name.length > MAX_NAME_LENGTH + 1) throw invalid('It is longer than 253 characters.')
  const trimmed = name.trim().replace(/\.$/, '')
  if (/[/:@?#%\\[\]\s]/.test(trimmed)) throw invalid('It holds a character that no domain has.')
  const text = /^[a-zA-Z0-9.-]*$/.test(trimmed) ? trimmed.toLowerCase() : domainToASCII(trimmed)
  if (text === '') throw invalid('It is empty, or holds a character that no domain has.')
  if (text.length > MAX_NAME_LENGTH) throw invalid('It is longer than 253 characters.')
  const labels = text.split('.')
  if (!labels.every((label) => LABEL.test(label))) {
    throw invalid('Between the dots stand 1 to 63 letters, digits and hyphens, with no hyphen at either end.')
  }
  // One word alone could be the name of a tunnel, and digits at the end an IPv4 address (https://url.spec.whatwg.org/#ends-in-a-number-checker).
  if (labels.length < 2) throw invalid('It needs a dot.')
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) throw invalid('It ends like an IP address.')
  return text
}

/** Where a name is announced: 32 bytes. Takes any spelling of the name. */
export function nameTopic(name: string): Buffer {
  return createHash('sha256').update(TOPIC_PREFIX).update(normaliseName(name)).digest()
}

function invalid(why: string): ConfigError {
  return new ConfigError(`This is no domain. ${why}`, { code: 'BEAM_ERR_NAME_INVALID', hint: 'A domain looks like myapp.local.' })
}
