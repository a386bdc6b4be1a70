import { generateIdentity, openKeyStore, tryProcessLock, type BeamPaths, type Identity, type Participation } from '../../../core/index.ts'

/** The key of this process's node, and what gives it back. */
export interface NodeKey extends AsyncDisposable {
  readonly identity: Identity
  /** Whether it is the same after a restart. */
  readonly kept: boolean
}

/**
 * A node that does something for others is known to them by its key, and keeps it; one that takes part lightly has a new one every time, so
 * that nobody can tell that it was there before. Of two processes at once the second takes a new one as well.
 * @throws ConfigError (`BEAM_ERR_KEY_STORAGE`)
 */
export async function takeNodeKey(paths: BeamPaths, participation: Participation): Promise<NodeKey> {
  if (participation !== 'light') {
    const result = await tryProcessLock(paths, 'mesh node key')
    if ('lock' in result) {
      try {
        const identity = await openKeyStore(paths).nodeKey()
        return { identity, kept: true, [Symbol.asyncDispose]: () => Promise.resolve(result.lock[Symbol.asyncDispose]()) }
      } catch (error) {
        await result.lock[Symbol.asyncDispose]()
        throw error
      }
    }
  }
  return { identity: generateIdentity(), kept: false, [Symbol.asyncDispose]: () => Promise.resolve() }
}
