import { ConfigError } from '../../core/index.ts'

/**
 * Cost of a guess: scrypt with N = 2^18 (age's own default) takes about a second and 256 MiB. A file that asks for more than this is not
 * one of ours and would cost whoever opens it gigabytes.
 */
const SCRYPT_LOG_N = 18
/** Largest encrypted text, in bytes: a configuration file has no more room. */
const MAX_SEALED_BYTES = 128 * 1024
/** Shorter passphrases are found by trying all of them. */
const MIN_PASSPHRASE = 8

/** Refuses a passphrase that is too short. @throws ConfigError (`BEAM_ERR_PASSPHRASE`) */
export function checkPassphrase(passphrase: string): void {
  if (passphrase.length >= MIN_PASSPHRASE) return
  throw new ConfigError(`The passphrase is too short: at least ${MIN_PASSPHRASE} characters are needed.`, {
    code: 'BEAM_ERR_PASSPHRASE',
    hint: 'Whoever gets the file can try as many as they like. Four or five random words are good.',
  })
}

/**
 * Encrypts a text with a passphrase: the age format (C2SP age-encryption.org/v1) in ASCII armour, which the program `age` reads too.
 * @throws ConfigError (`BEAM_ERR_PASSPHRASE`) when it is too short
 */
export async function seal(
  text: string,
  passphrase: string,
  { scryptLogN = SCRYPT_LOG_N }: { readonly scryptLogN?: number } = {},
): Promise<string> {
  checkPassphrase(passphrase)
  const { armor, Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  encrypter.setScryptWorkFactor(scryptLogN)
  return armor.encode(await encrypter.encrypt(text))
}

/**
 * Opens what {@link seal} made.
 * @throws ConfigError: `BEAM_ERR_PASSPHRASE`, or `BEAM_ERR_EXPORT_INVALID` when it is damaged or was changed
 */
export async function unseal(sealed: string, passphrase: string): Promise<string> {
  const { armor, Decrypter } = await import('age-encryption')
  let bytes: Uint8Array
  try {
    if (sealed.length > MAX_SEALED_BYTES) throw new RangeError('too large')
    bytes = armor.decode(sealed)
    const header = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
    const [, logN] = /^age-encryption\.org\/v1\n-> scrypt \S+ (\d{1,2})\n/.exec(header) ?? []
    if (logN === undefined || Number(logN) > SCRYPT_LOG_N) throw new RangeError('not encrypted with a passphrase as Beam does it')
  } catch (cause) {
    throw damaged(cause)
  }
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  try {
    return await decrypter.decrypt(bytes, 'text')
  } catch (cause) {
    if (!(cause as Error).message.includes('no identity matched')) throw damaged(cause)
    throw new ConfigError('The passphrase does not open the keys of the file.', {
      code: 'BEAM_ERR_PASSPHRASE',
      hint: 'Try again; or import the settings alone with --without-keys.',
      cause,
    })
  }
}

function damaged(cause: unknown): ConfigError {
  return new ConfigError('The encrypted keys of the file are damaged or were changed.', {
    code: 'BEAM_ERR_EXPORT_INVALID',
    hint: 'Copy the file again from where it was made; or import the settings alone with --without-keys.',
    cause,
  })
}
