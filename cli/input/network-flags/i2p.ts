import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../../core/errors.ts'
import { readPrivateFile } from '../../../core/identity/private-file.ts'
import type { FlagValues, NetworkFlags, NetworkOptions } from './group.ts'

/** A file of keys: 64 clients with a line of 80 characters each. */
const MAX_FILE_BYTES = 16 * 1024

/** Flags of I2P. */
export const i2pFlags: NetworkFlags = {
  backends: ['i2p'],
  selects: { 'eep-site': 'i2p' },
  readsHttp: ['eep-site'],
  publish: {
    'eep-site': boolean({
      description:
        'Publish an HTTP service on I2P: --backend i2p, with X-I2P-DestB32, -DestHash and -DestB64 of each visitor in its requests.',
      helpGroup: 'NETWORK',
    }),
    'i2p-variance': string({
      description: 'By how many routers the length of a tunnel may vary, -2 to 2.',
      helpGroup: 'I2P',
      helpValue: 'N',
    }),
    'i2p-encrypted': boolean({
      description: 'Encrypt the lease set: only who has the (longer) address can find the service.',
      helpGroup: 'I2P',
    }),
    'i2p-clients': string({
      description:
        'Let in only visitors with a key of their own: a file (mode 0600) with lines NAME:KEY, each key 32 bytes in base64. Implies --i2p-encrypted.',
      helpGroup: 'I2P',
      helpValue: 'FILE',
    }),
    'i2p-auth': string({
      description:
        'What the keys of --i2p-clients are: secrets that both have (psk, the default), or the visitors’ public X25519 keys (dh).',
      helpGroup: 'I2P',
      options: ['psk', 'dh'],
    }),
    'i2p-allow': string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'Let in only this destination (….b32.i2p); can be repeated.',
      helpGroup: 'I2P',
      helpValue: 'B32',
    }),
    'i2p-deny': string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'Keep this destination out (….b32.i2p); can be repeated.',
      helpGroup: 'I2P',
      helpValue: 'B32',
    }),
    'i2p-hostname': string({
      description: 'A name such as mysite.i2p for the address helper link and for the address book of this machine.',
      helpGroup: 'I2P',
      helpValue: 'NAME',
    }),
    'key-file': string({
      description: 'Publish with the I2P keys of a file (eepPriv.dat, i2pd’s .dat, or base64); stored under --name where that is given.',
      helpGroup: 'I2P',
      helpValue: 'FILE',
    }),
  },
  publishOptions,
  dial: {
    'i2p-client-key': string({
      description: 'The key for a service that lets only known visitors in: a file (mode 0600) with 32 bytes in base64.',
      helpGroup: 'ACCESS',
      helpValue: 'FILE',
    }),
    'i2p-as': string({
      description: 'Visit with a destination that stays the same under this name, for access lists of publishers.',
      helpGroup: 'ACCESS',
      helpValue: 'NAME',
    }),
  },
  dialOptions,
  settings: {
    'i2p-length': string({
      description: 'Routers in each tunnel, 0 to 7. Default: 3; fewer are faster and hide less.',
      helpGroup: 'I2P',
      helpValue: 'N',
    }),
    'i2p-quantity': string({ description: 'Tunnels in each direction, 1 to 16. Default: 3.', helpGroup: 'I2P', helpValue: 'N' }),
    'i2p-sam-port': string({
      description: 'Port on this machine at which a running router offers SAM. Default: 7656, or a private router.',
      helpGroup: 'I2P',
      helpValue: 'PORT',
    }),
  },
  environment: (flags) => ({
    ...given('BEAM_I2P_LENGTH', text(flags, 'i2p-length')),
    ...given('BEAM_I2P_QUANTITY', text(flags, 'i2p-quantity')),
    ...given('BEAM_I2P_SAM_PORT', text(flags, 'i2p-sam-port')),
  }),
}

async function publishOptions(flags: FlagValues): Promise<NetworkOptions> {
  const [clients, variance] = [text(flags, 'i2p-clients'), text(flags, 'i2p-variance')]
  return {
    ...given('variance', variance === undefined ? undefined : wholeNumber('i2p-variance', variance)),
    ...(flags['i2p-encrypted'] === true ? { encrypted: true } : {}),
    ...given('clients', clients === undefined ? undefined : await linesOf('i2p-clients', clients)),
    ...given('auth', flags['i2p-auth']),
    ...given('allow', flags['i2p-allow']),
    ...given('deny', flags['i2p-deny']),
    ...given('hostname', flags['i2p-hostname']),
    ...given('keyFile', flags['key-file']),
  }
}

async function dialOptions(flags: FlagValues): Promise<NetworkOptions> {
  const file = text(flags, 'i2p-client-key')
  return {
    ...given('clientKey', file === undefined ? undefined : (await linesOf('i2p-client-key', file))[0]),
    ...given('as', flags['i2p-as']),
  }
}

/** An option that is absent when its flag was not typed. */
function given<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value }
}

function text(flags: FlagValues, name: string): string | undefined {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}

function wholeNumber(flag: string, value: string): number {
  if (/^[+-]?\d{1,9}$/.test(value.trim())) return Number(value)
  throw new ConfigError(`--${flag} is no whole number.`, { code: 'BEAM_ERR_USAGE' })
}

/** The lines of a file that only its owner may read; blank ones and comments (#) are left out. */
async function linesOf(flag: string, file: string): Promise<readonly string[]> {
  const content = await readPrivateFile(file, { maxBytes: MAX_FILE_BYTES })
  const lines = (content?.toString('utf8') ?? '').split('\n').map((line) => line.trim())
  const said = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (said.length > 0) return said
  const why = content === undefined ? 'does not exist' : 'holds nothing'
  throw new ConfigError(`The file of --${flag} ${why}: ${file}`, { code: 'BEAM_ERR_USAGE' })
}
