import { BackendUnavailableError, type BeamErrorOptions } from '../../../../core/index.ts'

/** The daemon refused a command. `replyCode` is its own code (control-spec section 4). */
export class ControlReplyError extends BackendUnavailableError {
  readonly replyCode: number

  constructor(message: string, replyCode: number, options: BeamErrorOptions = {}) {
    super(message, { code: 'BEAM_ERR_CONTROL_PORT', ...options })
    this.replyCode = replyCode
  }
}

/** Whether the daemon refused a command with one of these codes. */
export function refusedWith(error: unknown, ...codes: readonly number[]): error is ControlReplyError {
  return error instanceof ControlReplyError && codes.includes(error.replyCode)
}

/** Longest text of the daemon that goes into a message of ours. */
const MAX_SHOWN = 200

/** The refusal of a command as a sentence. The command's arguments are not shown: they may hold keys. */
export function controlReplyError(verb: string, code: number, text: string): ControlReplyError {
  const said = text.slice(0, MAX_SHOWN).replaceAll(/[^\x20-\x7e]/g, '?')
  switch (code) {
    case 510:
      return /filtered/i.test(text)
        ? new ControlReplyError(`A filter before the control port does not let ${verb} through.`, code, {
            retry: 'never',
            hint: 'On Whonix and Tails, add a profile for Beam to onion-grater; elsewhere let Beam run a daemon of its own (leave control_port out).',
          })
        : new ControlReplyError(`The daemon does not know the command ${verb}: it is too old, or no daemon of this kind.`, code, {
            retry: 'never',
            hint: 'Update it.',
          })
    case 514:
      return new ControlReplyError('The control port wants authentication first.', code, { retry: 'never', hint: AUTHENTICATION_HINT })
    case 515:
      return new ControlReplyError('The control port refused our password or cookie.', code, { retry: 'never', hint: AUTHENTICATION_HINT })
    default:
      return new ControlReplyError(`The daemon refused ${verb}: ${code} ${said}`, code, { retry: code < 500 ? 'later' : 'never' })
  }
}

export const AUTHENTICATION_HINT =
  'Set control_password to the password behind HashedControlPassword, or let this user read the cookie file (CookieAuthentication 1, CookieAuthFileGroupReadable 1). Or leave control_port out: Beam then runs a daemon of its own.'
