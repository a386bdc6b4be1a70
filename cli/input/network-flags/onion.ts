import { isAbsolute } from 'node:path'
import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../../core/errors.ts'
import { readSecret } from '../secret.ts'
import type { FlagValues, NetworkFlags, NetworkOptions } from './group.ts'

/** Most visitors at a time that the daemons can be told. */
const MAX_STREAMS = 65_535

/** Flags of the networks with onion services: Tor and Anyone (ATOR), whose daemons speak the same language. */
export const onionFlags: NetworkFlags = {
  backends: ['tor', 'ator'],
  selects: { 'depin-infrastructure': 'ator' },
  publish: {
    'depin-infrastructure': boolean({ description: 'Short for --backend ator.', helpGroup: 'NETWORK' }),
    'tor-port': string({
      multiple: true,
      multipleNonGreedy: true,
      description:
        'Port of the onion service and where its visitors come out: a local port, ADDRESS:PORT or unix:/PATH; by default the published port. Can be repeated. Default: 80.',
      helpGroup: 'TOR',
      helpValue: 'PORT[:TARGET]',
    }),
    'max-streams': string({
      description: 'How many streams one visitor may have open at a time.',
      helpGroup: 'TOR',
      helpValue: 'N',
    }),
    pow: boolean({
      description: 'Make visitors work for their connection while the service is flooded (proof of work).',
      helpGroup: 'TOR',
    }),
    'non-anonymous': boolean({
      description: 'Publish with one hop instead of three: faster, and it shows the IP address of this machine.',
      helpGroup: 'TOR',
    }),
  },
  publishOptions: (flags) => ({
    ...(flags['tor-port'] === undefined ? {} : { ports: (flags['tor-port'] as string[]).map(checkedPort) }),
    ...(flags['max-streams'] === undefined ? {} : { maxStreams: checkedCount(flags['max-streams'] as string) }),
    ...(flags['pow'] === true ? { pow: true } : {}),
    ...(flags['non-anonymous'] === true ? { nonAnonymous: true } : {}),
  }),
  dial: {
    'auth-key': string({
      description:
        'The private key for a service that lets only known visitors in (beam tor auth): the name of a file with it, or “-” to be asked for it. Other users of this machine may see a key that is given here.',
      helpGroup: 'ACCESS',
      helpValue: 'FILE',
    }),
  },
  dialOptions,
  settings: {
    bridge: string({
      multiple: true,
      multipleNonGreedy: true,
      description:
        'Enter the network through this bridge, where it is blocked: a line as the network’s project gives it out. Can be repeated.',
      helpGroup: 'TOR',
      helpValue: 'LINE',
    }),
    'tor-control': string({
      description:
        'Use a daemon that runs already: its control port (a port, or ADDRESS:PORT) or the path of its control socket. Default: one of Beam’s own.',
      helpGroup: 'TOR',
      helpValue: 'PLACE',
    }),
  },
  environment,
}

async function dialOptions(flags: FlagValues): Promise<NetworkOptions> {
  const given = String(flags['auth-key'])
  if (given === '-' && flags['stdio'] === true) {
    throw usage('--auth-key - cannot be used with --stdio: standard input carries the connection.', 'Give the name of a file.')
  }
  const called = 'visitor’s private key'
  // A key is no name that a file would have: base32, base64, or a line with the address in front.
  if (given === '-' || isKey(given)) return { authKey: await readSecret({ secret: given, called }) }
  return { authKey: await readSecret({ file: given, called }) }
}

/** Whether a text is an x25519 key in one of its notations. The daemon's side checks it in full. */
function isKey(text: string): boolean {
  return /^([a-z2-7]{56}(\.[a-z]+)?:)?(descriptor:)?(x25519:)?([a-z2-7]{52}|[A-Za-z0-9+/_-]{43})=*$/i.test(text)
}

function environment(flags: FlagValues, backend: string): Readonly<Record<string, string>> {
  const prefix = `BEAM_${backend.toUpperCase()}_`
  const control = flags['tor-control'] as string | undefined
  return {
    ...(flags['bridge'] === undefined ? {} : { [`${prefix}BRIDGES`]: JSON.stringify(flags['bridge']) }),
    ...(flags['non-anonymous'] === true ? { [`${prefix}NON_ANONYMOUS`]: 'true' } : {}),
    ...(control === undefined ? {} : { [`${prefix}CONTROL_${isAbsolute(control) ? 'SOCKET' : 'PORT'}`]: control }),
  }
}

/** Checked in full by the backend, but that is after the network was joined: a slip is told at once. */
function checkedPort(text: string): string {
  const [, port, target] = /^(\d{1,5})(?::(.+))?$/.exec(text) ?? []
  const targetPort = /^(?:.+:)?(\d{1,5})$/.exec(target ?? '1')?.[1]
  if (isPort(port) && (target?.startsWith('unix:/') === true || isPort(targetPort))) return text
  throw usage(
    `--tor-port ${JSON.stringify(text.slice(0, 100))} is no port of an onion service.`,
    'For example: --tor-port 80:3000, --tor-port 80, --tor-port 22:127.0.0.1:2222, --tor-port 80:unix:/run/app.sock',
  )
}

const isPort = (text: string | undefined): boolean => text !== undefined && Number(text) >= 1 && Number(text) <= 65_535

function checkedCount(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (count >= 1 && count <= MAX_STREAMS) return count
  throw usage(`--max-streams ${text}: a whole number from 1 to ${MAX_STREAMS} is needed.`)
}

function usage(message: string, hint?: string): ConfigError {
  return new ConfigError(message, { code: 'BEAM_ERR_USAGE', ...(hint === undefined ? {} : { hint }) })
}
