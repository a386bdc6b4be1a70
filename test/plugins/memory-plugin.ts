import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { definePlugin, type BeamPaths, type BeamPlugin, type NetworkBackend } from '../../core/index.ts'
import { MemoryBackend } from '../../core/testing/memory-backend.ts'
import { MemoryNetwork } from '../../core/testing/memory-network.ts'

/** A plugin whose backends all share one memory network. */
export function memoryPlugin(
  options: { name?: string; network?: MemoryNetwork; make?: (name: string, network: MemoryNetwork) => NetworkBackend } = {},
): BeamPlugin {
  const {
    name = 'memory',
    network = new MemoryNetwork(),
    make = (called, on) => new MemoryBackend({ name: called, network: on }),
  } = options
  return definePlugin({
    name,
    apiVersion: 1,
    description: 'Inside one process.',
    configSchema: { type: 'object' },
    create: () => make(name, network),
  })
}

/** Folders of a user who exists for one test. */
export async function temporaryPaths(): Promise<BeamPaths & AsyncDisposable & { readonly home: string }> {
  const home = await mkdtemp(join(tmpdir(), 'beam-'))
  const paths = { config: join(home, 'config'), data: join(home, 'data'), state: join(home, 'state'), runtime: join(home, 'run') }
  for (const path of Object.values(paths)) await mkdir(path, { mode: 0o700 })
  return { ...paths, home, [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) }
}
