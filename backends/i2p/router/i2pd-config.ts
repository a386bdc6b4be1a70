/** What a private router is told. */
export interface I2pdSettings {
  readonly folder: string
  readonly samPort: number
  /** Whether it may fetch its first addresses of other routers from the reseed hosts on the Internet. */
  readonly reseed: boolean
  /** Further options, which win: `bandwidth` → `X`, `ntcp2.port` → `12345`. */
  readonly options: Readonly<Record<string, string>>
}

/** What listens for local programs, and what speaks past I2P: none of it is needed. */
const OFF = ['http', 'httpproxy', 'socksproxy', 'i2cp', 'i2pcontrol', 'bob', 'upnp', 'nettime']

/**
 * i2pd.conf of a private router: SAM on loopback and nothing else that listens for local programs. The address book stays on: i2pd 2.45
 * falls over the first lookup of a .b32.i2p name without it. An option may stand in it once only.
 */
export function i2pdConfig({ folder, samPort, reseed, options }: I2pdSettings): string {
  const lines: Record<string, string> = {
    log: 'file',
    logfile: `${folder}/i2pd.log`,
    loglevel: 'error',
    pidfile: `${folder}/i2pd.pid`,
    'sam.enabled': 'true',
    'sam.address': '127.0.0.1',
    'sam.port': String(samPort),
    ...Object.fromEntries(OFF.map((section) => [`${section}.enabled`, 'false'])),
    'addressbook.enabled': 'true',
    ...(reseed ? {} : OFFLINE),
    ...options,
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}

/** Nothing is fetched from outside where nothing may be: addresses that nobody answers at. */
const OFFLINE = {
  'addressbook.defaulturl': 'http://127.0.0.1/none',
  'addressbook.subscriptions': '',
  'reseed.verify': 'false',
  'reseed.urls': '',
  'reseed.yggurls': '',
  'reseed.threshold': '0',
}
