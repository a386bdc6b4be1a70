import { ConfigError } from '../../core/errors.ts'
import { readSecret } from './secret.ts'

/** Where a passphrase may come from. */
export interface PassphraseSources {
  readonly file?: string | undefined
  readonly env?: string | undefined
}

/**
 * The passphrase of exported keys: from `--passphrase-file` or `BEAM_PASSPHRASE`, else asked for at the terminal (twice for a new one) or
 * read from standard input. Never printed, and never an argument, which other users of the machine could see.
 * @throws ConfigError (`BEAM_ERR_USAGE`, `BEAM_ERR_PASSPHRASE`) when there is none, or the two that were typed differ
 */
export async function readPassphrase({ file, env }: PassphraseSources, purpose: 'new' | 'existing'): Promise<string> {
  if (file !== undefined) return (await readSecret({ file, called: 'passphrase' })) ?? ''
  if (env !== undefined && env !== '') return env
  const passphrase = (await readSecret({ secret: '-', called: 'passphrase of the keys' })) ?? ''
  if (purpose === 'existing' || !process.stdin.isTTY) return passphrase
  if ((await readSecret({ secret: '-', called: 'passphrase again' })) === passphrase) return passphrase
  throw new ConfigError('The two passphrases differ.', { code: 'BEAM_ERR_PASSPHRASE' })
}
