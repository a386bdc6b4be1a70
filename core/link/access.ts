import { createHmac, scrypt, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http2'
import { setTimeout as wait } from 'node:timers/promises'
import type { AccessPolicy } from '../backend.ts'
import { ConfigError } from '../errors.ts'
import { decodeKey, encodeKey } from '../identity/address.ts'
import { SECRET_HEADER, SECRET_LABEL } from './constants.ts'
import type { Asker } from './link-listener.ts'
import type { Refusal } from './refusal.ts'

/** scrypt (RFC 7914) with N = 2^14, r = 8: some 30 ms, so that a word can't be tried millions of times against a recorded proof. */
const SCRYPT = { N: 1 << 14, r: 8, p: 1 }
const PROOF_BYTES = 32
/**
 * A wrong answer is told late, and so many of them at a time are all that a service gives, whatever number of links they come over: that
 * bounds guessing. (Who leaves without waiting for the answer has had it counted all the same.)
 */
const WRONG_SECRET_DELAY_MS = 1000
const MAX_WRONG_SECRETS = 32

const DENIED_KEY: Refusal = {
  status: 403,
  code: 'BEAM_ERR_ACCESS_DENIED',
  message: 'The publisher lets in listed visitor keys only, and this one is not listed.',
}
const DENIED_SECRET: Refusal = {
  status: 403,
  code: 'BEAM_ERR_ACCESS_DENIED',
  message: 'The publisher asks for a secret, and none or a wrong one was given.',
}
const TOO_MANY: Refusal = {
  status: 503,
  code: 'BEAM_ERR_PEER_UNREACHABLE',
  message: 'The publisher is being tried with wrong secrets at present. Try again in a few seconds.',
}

/** The judge of a tunnel's requests, who lets in everybody, listed keys, holders of the secret, or listed keys that hold it. */
export function accessJudge(
  policy: AccessPolicy | undefined,
  serviceKey: Uint8Array,
): (asker: Asker, headers: IncomingHttpHeaders) => Promise<Refusal | undefined> | undefined {
  const allowed = new Set((policy?.allow ?? []).map(visitorKeyText))
  const word = policy?.secret === undefined ? undefined : stretch(policy.secret, serviceKey)
  word?.catch(() => {})
  /** Links on which the secret was proved: they need not be asked again, and keep working while somebody guesses. */
  const proved = new WeakSet<Asker>()
  let wrong = 0

  async function checkSecret(asker: Asker, headers: IncomingHttpHeaders, stretched: Promise<Buffer>): Promise<Refusal | undefined> {
    const given = headers[SECRET_HEADER]
    const proof = Buffer.from(typeof given === 'string' ? given : '', 'hex')
    if (proof.length === 0) return DENIED_SECRET
    const key = await stretched
    if (wrong >= MAX_WRONG_SECRETS) return TOO_MANY
    if (proof.length === PROOF_BYTES && timingSafeEqual(proof, proofOf(key, asker.exportKey))) {
      proved.add(asker)
      return undefined
    }
    wrong++
    await wait(WRONG_SECRET_DELAY_MS, undefined, { ref: false })
    wrong--
    return DENIED_SECRET
  }
  return (asker, headers) => {
    if (allowed.size > 0 && !allowed.has(encodeKey('visitor', asker.peerKey))) return Promise.resolve(DENIED_KEY)
    return word === undefined || proved.has(asker) ? undefined : checkSecret(asker, headers, word)
  }
}

/**
 * The headers with which a visitor shows that it knows the secret: bound to this one connection, so that it is of no use elsewhere, and to
 * the service key, so that a stranger who answers instead learns nothing to try words against but at the cost of scrypt.
 */
export async function secretHeaders(
  secret: string | undefined,
  serviceKey: Uint8Array,
  exportKey: Asker['exportKey'],
): Promise<Record<string, string>> {
  if (secret === undefined) return {}
  return { [SECRET_HEADER]: proofOf(await stretch(secret, serviceKey), exportKey).toString('hex') }
}

function proofOf(stretched: Buffer, exportKey: Asker['exportKey']): Buffer {
  return createHmac('sha256', stretched).update(exportKey(SECRET_LABEL, PROOF_BYTES)).digest()
}

function stretch(secret: string, serviceKey: Uint8Array): Promise<Buffer> {
  if (secret === '') throw new ConfigError('The secret is empty.')
  return new Promise((resolve, reject) => {
    scrypt(secret.normalize('NFC'), serviceKey, PROOF_BYTES, SCRYPT, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}

function visitorKeyText(text: string): string {
  const key = decodeKey('visitor', text.trim())
  if (key !== undefined) return encodeKey('visitor', key)
  throw new ConfigError(`“${text}” is no visitor key.`, { hint: 'A visitor prints theirs with `beam key show`: 56 letters and digits.' })
}
