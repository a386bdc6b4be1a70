import { ConfigError } from '../errors.ts'

/** Longest name of a tunnel: it becomes part of a file's name, and a DNS label has no more either. */
const MAX_LENGTH = 63

/**
 * Checks the name under which a tunnel keeps its address (`--name web`): lower-case letters, digits, `.`, `_` and `-`, beginning and ending
 * with a letter or digit. No capitals, because some file systems do not tell `Web` from `web`; nothing that could lead out of a folder.
 * @throws ConfigError (`BEAM_ERR_NAME_INVALID`)
 */
export function checkServiceName(name: string): void {
  if (name.length <= MAX_LENGTH && /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/.test(name)) return
  const shown = name.length <= MAX_LENGTH ? ` ${JSON.stringify(name)}` : ''
  throw new ConfigError(`The tunnel name${shown} cannot be used.`, {
    code: 'BEAM_ERR_NAME_INVALID',
    hint: `A name has 1 to ${MAX_LENGTH} lower-case letters, digits, dots, hyphens and underscores, and begins and ends with a letter or digit.`,
  })
}
