import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { ERROR_CODES, ProtocolError, UnreachableError, type BeamError, type ErrorCode } from '../errors.ts'
import { ERROR_HEADER, MESSAGE_HEADER } from './constants.ts'

/** What a far end may tell us of its reasons: longer texts are cut. */
const MAX_MESSAGE_LENGTH = 300

/** A request that is not granted. */
export interface Refusal {
  /** Status of HTTP (RFC 9110 section 15). */
  readonly status: number
  readonly code: ErrorCode
  readonly message: string
}

/** The headers that tell a refusal. */
export function refusalHeaders(refusal: Refusal): OutgoingHttpHeaders {
  return { ':status': refusal.status, [ERROR_HEADER]: refusal.code, [MESSAGE_HEADER]: encodeURIComponent(refusal.message) }
}

/** The error that the far end's answer stands for; undefined when it granted the request. */
export function refusalOf(headers: IncomingHttpHeaders & { readonly ':status'?: number | undefined }): BeamError | undefined {
  const status = headers[':status'] ?? 0
  if (status >= 200 && status < 300) return undefined
  const code = headers[ERROR_HEADER]
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code)) {
    return new ProtocolError(`The far end refused the request with status ${status}.`)
  }
  return new UnreachableError(messageOf(headers[MESSAGE_HEADER], code as ErrorCode), {
    code,
    retry: code === 'BEAM_ERR_ACCESS_DENIED' ? 'never' : 'later',
    hint: HINTS[code as ErrorCode],
  })
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  BEAM_ERR_ACCESS_DENIED:
    'Ask the publisher for access: give them your visitor key (`beam key show`) and connect with --identify, or ask for the secret and connect with --secret.',
}

function messageOf(header: string | string[] | undefined, code: ErrorCode): string {
  if (typeof header === 'string') {
    try {
      // Control characters of a stranger do not reach a terminal.
      const text = decodeURIComponent(header)
        .replaceAll(/\p{Cc}/gu, ' ')
        .slice(0, MAX_MESSAGE_LENGTH)
      if (text.trim() !== '') return text
    } catch {
      // Malformed: the table's sentence serves.
    }
  }
  return ERROR_CODES[code]
}
