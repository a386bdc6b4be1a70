import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The package of the Anyone project that has the daemon for some platforms. Only its file is used; its code is not run. */
const PACKAGE = '@anyone-protocol/anyone-client'

/** Where the daemon stands in that package, when it is installed beside the project in this folder, or beside Beam. */
export function packagedPrograms(folder: string = process.cwd()): readonly string[] {
  const program = process.platform === 'win32' ? 'anon.exe' : 'anon'
  return [pathToFileURL(join(folder, 'package.json')).href, import.meta.url].flatMap((from) => {
    try {
      const manifest = createRequire(from).resolve(`${PACKAGE}/package.json`)
      return [join(dirname(manifest), 'bin', process.platform, process.arch, program)]
    } catch {
      // Not installed there.
      return []
    }
  })
}
