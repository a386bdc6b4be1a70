import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { BackendUnavailableError } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { BeamPaths } from '../../core/paths.ts'
import type { Beam } from '../../plugins/beam.ts'
import { createBeam } from '../../plugins/create-beam.ts'
import type { Source } from './protocol.ts'

/** Most configurations at a time: each runs backends of its own. */
const MAX_INSTANCES = 16

/** A Beam instance on loan. */
export interface Lease {
  readonly beam: Beam
  /** Gives it back; the instance ends when nobody has it any more. */
  release(): Promise<void>
}

interface Instance {
  readonly beam: Promise<Beam>
  users: number
}

/**
 * The Beam instances of the daemon: one for each configuration, so that a tunnel behaves as if it were published where it was asked for.
 * A file that was changed is another configuration; tunnels that run keep the one they have.
 */
export class Instances {
  readonly #paths: BeamPaths
  readonly #logger: Logger
  readonly #instances = new Map<string, Instance>()

  constructor(components: { readonly paths: BeamPaths; readonly logger: Logger }) {
    this.#paths = components.paths
    this.#logger = components.logger
  }

  /** The instance for the settings of a caller. Errors as `createBeam`. */
  async lease(source: Source): Promise<Lease> {
    const key = await keyOf(source)
    const instance = this.#instances.get(key) ?? this.#open(key, source)
    instance.users++
    let released = false
    const release = async (): Promise<void> => {
      if (released) return
      released = true
      if (--instance.users > 0) return
      this.#instances.delete(key)
      await (await instance.beam)[Symbol.asyncDispose]()
    }
    try {
      return { beam: await instance.beam, release }
    } catch (error) {
      if (--instance.users === 0) this.#instances.delete(key)
      throw error
    }
  }

  /** Those that run now. One that could not be made is none. */
  async running(): Promise<readonly Beam[]> {
    const beams = await Promise.allSettled([...this.#instances.values()].map(({ beam }) => beam))
    return beams.flatMap((beam) => (beam.status === 'fulfilled' ? [beam.value] : []))
  }

  #open(key: string, { config, environment }: Source): Instance {
    if (this.#instances.size >= MAX_INSTANCES) {
      throw new BackendUnavailableError(`The daemon carries tunnels of ${MAX_INSTANCES} configurations already.`, {
        code: 'BEAM_ERR_DAEMON',
        hint: 'End tunnels of one that is not needed any more (beam list, beam stop), or use --no-daemon.',
      })
    }
    const beam = createBeam({
      ...(config === undefined ? {} : { configFile: config }),
      env: { ...systemEnvironment(), ...environment },
      paths: this.#paths,
      logger: this.#logger,
    })
    const instance = { beam, users: 0 }
    this.#instances.set(key, instance)
    return instance
  }
}

/** The daemon's variables without settings: those of the caller count, not those that held where the daemon was started. */
function systemEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BEAM_')))
}

async function keyOf({ config, environment }: Source): Promise<string> {
  const hash = createHash('sha256').update(
    JSON.stringify([config ?? '', Object.entries(environment).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
  )
  // A file that cannot be read is told by who reads it next.
  if (config !== undefined) hash.update(await readFile(config).catch(() => ''))
  return hash.digest('hex')
}
