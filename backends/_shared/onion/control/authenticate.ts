import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { open } from 'node:fs/promises'
import { BackendUnavailableError, ProtocolError } from '../../../../core/index.ts'
import type { ControlClient } from './control-client.ts'
import { AUTHENTICATION_HINT } from './control-error.ts'
import { parseFields, quote } from './fields.ts'

/** control-spec section 3.24. */
const SERVER_KEY = 'Tor safe cookie authentication server-to-controller hash'
const CLIENT_KEY = 'Tor safe cookie authentication controller-to-server hash'
/** Bytes of a cookie and of a nonce. */
const COOKIE_BYTES = 32

/** What a daemon says of itself before anybody is authenticated. */
interface ProtocolInfo {
  readonly methods: readonly string[]
  readonly cookieFile: string | undefined
  readonly version: string
}

/** What can be shown to a control port. */
export interface Credentials {
  readonly password?: string | undefined
}

/**
 * Authenticates with what is given and what the daemon asks for: the password when there is one, else nothing (NULL), else the cookie,
 * whose content is never sent where SAFECOOKIE is offered. Resolves with the daemon's version.
 * @throws BackendUnavailableError saying what the daemon wants; ProtocolError when it does not know its own cookie
 */
export async function authenticate(control: ControlClient, { password }: Credentials = {}): Promise<string> {
  const { methods, cookieFile, version } = await protocolInfo(control)
  if (password !== undefined && methods.includes('HASHEDPASSWORD')) await control.command(`AUTHENTICATE ${quote(password)}`)
  else if (methods.includes('NULL')) await control.command('AUTHENTICATE')
  else if (methods.includes('SAFECOOKIE')) await safeCookie(control, await readCookie(cookieFile))
  else if (methods.includes('COOKIE')) await control.command(`AUTHENTICATE ${(await readCookie(cookieFile)).toString('hex')}`)
  else {
    const wants = methods.includes('HASHEDPASSWORD')
      ? 'a password'
      : `a method that Beam does not know (${methods.join(', ').slice(0, 100)})`
    throw new BackendUnavailableError(`The control port wants ${wants}.`, {
      code: 'BEAM_ERR_CONTROL_PORT',
      retry: 'never',
      hint: AUTHENTICATION_HINT,
    })
  }
  return version
}

async function protocolInfo(control: ControlClient): Promise<ProtocolInfo> {
  const { lines } = await control.command('PROTOCOLINFO 1')
  const pairs = Object.assign({}, ...lines.map(({ text }) => parseFields(text).pairs)) as Record<string, string | undefined>
  const { METHODS, COOKIEFILE, Tor } = pairs
  return { methods: (METHODS ?? '').split(',').filter(Boolean), cookieFile: COOKIEFILE, version: Tor ?? '' }
}

async function safeCookie(control: ControlClient, cookie: Buffer): Promise<void> {
  const ours = randomBytes(COOKIE_BYTES)
  const { lines } = await control.command(`AUTHCHALLENGE SAFECOOKIE ${ours.toString('hex')}`)
  const { pairs } = parseFields(lines[0].text)
  const hash = Buffer.from(pairs['SERVERHASH'] ?? '', 'hex')
  const message = Buffer.concat([cookie, ours, Buffer.from(pairs['SERVERNONCE'] ?? '', 'hex')])
  const expected = createHmac('sha256', SERVER_KEY).update(message).digest()
  if (hash.length !== expected.length || !timingSafeEqual(hash, expected)) {
    throw new ProtocolError(
      'What answers on the control port does not know the cookie of its own file: it is not the daemon that it claims to be.',
      {
        code: 'BEAM_ERR_CONTROL_PORT',
        hint: 'Check which program listens on the control port.',
      },
    )
  }
  await control.command(`AUTHENTICATE ${createHmac('sha256', CLIENT_KEY).update(message).digest('hex')}`)
}

/** The path comes from the peer, so nothing but a file of a cookie's exact size is read. */
async function readCookie(path: string | undefined): Promise<Buffer> {
  const refused = (why: string, cause?: unknown): BackendUnavailableError =>
    new BackendUnavailableError(`The authentication cookie ${path ?? ''} ${why}.`, {
      code: 'BEAM_ERR_CONTROL_PORT',
      retry: 'never',
      hint: AUTHENTICATION_HINT,
      ...(cause === undefined ? {} : { cause }),
    })
  if (path === undefined) throw refused('is not named by the daemon')
  let file
  try {
    file = await open(path, 'r')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw refused(
      code === 'EACCES' ? 'may not be read by this user' : code === 'ENOENT' ? 'is not there' : `cannot be read (${code ?? 'unknown'})`,
      error,
    )
  }
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.size !== COOKIE_BYTES) throw refused(`is no file of ${COOKIE_BYTES} bytes`)
    return (await file.readFile()).subarray(0, COOKIE_BYTES)
  } finally {
    await file.close()
  }
}
