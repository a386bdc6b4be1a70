import { createRequire } from 'node:module'
import { dirname, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readFile } from 'node:fs/promises'
import { ConfigError } from '../core/index.ts'
import { writeConfigFile } from './write-file.ts'

/**
 * The first line of a configuration file, by which editors with a YAML language server check and complete it.
 *
 * @param folder the file's folder: a schema below it (in its node_modules) is named relative to it, so that the file can be shared
 */
export function schemaLine(folder: string): string {
  const schema = createRequire(import.meta.url).resolve('#schemas/beam.config.schema.json')
  const path = relative(folder, schema)
  const inside = path !== '' && !path.startsWith('..') && !/^[A-Za-z]:/.test(path)
  return `# yaml-language-server: $schema=${inside ? `./${path.split(sep).join('/')}` : pathToFileURL(schema).href}\n`
}

/** A new file: what holds by default, and examples behind a # that can be taken away. */
function configTemplate(folder: string): string {
  return `${schemaLine(folder)}# Settings of Beam. Check them with: beam config validate

# Networks that may be used; lower priority numbers come first.
backends:
  - name: mesh
    enabled: true
    priority: 1
    #config:
      #mdns: on            # on | off | loopback
      #portmap: on         # on | off
      #listen: { host: "::", port: 0 }

# Packages and folders with further backends.
#plugins: ["beam-backend-example", "./my-backend"]

# Services that are published. Addresses are kept under their names.
#tunnels:
  #- name: web
    #port: 3000
    #domain: myapp.local
    #backends: [mesh]
    #strategy: priority    # priority | fallback | load-balance | multipath
    #access:
      #allow: []           # visitor keys, as beam key show prints them
      #secret: a word      # or a word that visitors must know

# How this machine takes part in the mesh.
p2p:
  participation: light     # light | routing | full
  #maxPeers: 50
  #routing: enabled        # enabled | disabled
  #caching: enabled        # enabled | disabled
  #bootstrap: []           # first nodes of the DHT as host:port; [] = no DHT; without it the public ones

# How paths are chosen.
#routing:
  #strategy: quality       # quality | geographic
`
}

/**
 * Writes a new, commented configuration file, for the owner only since it may get secrets.
 * @throws ConfigError when there is one and `force` is not set, or when it cannot be written
 */
export async function initConfig(file: string, options: { readonly force?: boolean } = {}): Promise<void> {
  const before = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new ConfigError(`${file} cannot be replaced: ${error.code === 'EISDIR' ? 'it is a folder' : error.message}.`, { cause: error })
  })
  if (before !== undefined && options.force !== true) {
    throw new ConfigError(`${file} is there already.`, { hint: 'Replace it with: beam config init --force' })
  }
  await writeConfigFile(file, configTemplate(dirname(file)), before === undefined ? {} : { before })
}
