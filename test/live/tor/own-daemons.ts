import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Control } from '../../helpers/onion-network/index.ts'

/** Control connections of the tests' own to the daemons that Beam runs below a folder. */
export async function controlsBelow(folder: string): Promise<Control[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('control-port'))
  const found = await Promise.all(
    files.map((file) => {
      const port = Number(/:(\d+)/.exec(readFileSync(join(folder, file), 'latin1'))?.[1])
      // The file of a daemon that has ended stays.
      return Control.connect(port).catch(() => undefined)
    }),
  )
  return found.filter((control) => control !== undefined)
}
