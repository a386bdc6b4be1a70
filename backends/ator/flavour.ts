import type { Flavour } from '../_shared/onion/index.ts'
import { packagedPrograms } from './anyone-package.ts'

/** Where the program stands apart from PATH, by platform. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  linux: ['/usr/bin/anon', '/usr/sbin/anon', '/usr/local/bin/anon'],
  darwin: ['/opt/homebrew/bin/anon', '/usr/local/bin/anon'],
  win32: ['C:\\Program Files\\anon\\anon.exe'],
}

/** The Anyone network (formerly ATOR): the `anon` daemon, `.anon` addresses. */
export const ANYONE: Flavour = {
  backend: 'ator',
  title: 'Anyone',
  program: 'anon',
  versionWord: 'Anon',
  rc: 'anonrc',
  suffix: 'anon',
  fixedNames: ['anyone'],
  // Without it the daemon asks on its standard input, and ends.
  lines: ['AgreeToTerms 1'],
  notice: {
    code: 'BEAM_WARN_TERMS',
    message: 'Beam starts the anon daemon with AgreeToTerms 1: by using it you agree to the terms and conditions of the Anyone network.',
  },
  folder: 'ator',
  places: () => [...packagedPrograms(), ...(PLACES[process.platform] ?? [])],
  install:
    'Install the anon package of the Anyone project, or its npm package beside your project: npm install --ignore-scripts @anyone-protocol/anyone-client (it has the daemon for Linux x64 and macOS arm64).',
}
