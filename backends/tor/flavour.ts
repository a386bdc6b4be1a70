import type { Flavour } from '../_shared/onion/index.ts'

/** Where the program stands apart from PATH, by platform. Daemons stand where only root's search path looks. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  linux: ['/usr/bin/tor', '/usr/sbin/tor', '/usr/local/bin/tor', '/snap/bin/tor'],
  darwin: ['/opt/homebrew/bin/tor', '/usr/local/bin/tor', '/opt/local/bin/tor', '/Applications/Tor Browser.app/Contents/MacOS/Tor/tor'],
  win32: ['C:\\Program Files\\Tor\\tor.exe', 'C:\\Tor\\tor.exe'],
}

const INSTALL: Readonly<Record<string, string>> = {
  darwin: 'Install it: brew install tor.',
  win32: 'Install it: download the Tor Expert Bundle from the Tor Project, and set binary to its tor.exe.',
}

/** Tor: the `tor` daemon, `.onion` addresses. */
export const TOR: Flavour = {
  backend: 'tor',
  title: 'Tor',
  program: 'tor',
  versionWord: 'Tor',
  rc: 'torrc',
  suffix: 'onion',
  fixedNames: [],
  lines: [],
  folder: 'tor',
  places: () => PLACES[process.platform] ?? [],
  install: INSTALL[process.platform] ?? 'Install it: apt install tor (Debian, Ubuntu), dnf install tor (Fedora), pacman -S tor (Arch).',
}
