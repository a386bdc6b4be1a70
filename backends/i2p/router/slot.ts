import { mkdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { BackendUnavailableError, tryProcessLock, type BeamPaths } from '../../../core/index.ts'

/** Private routers of one user at once. Each has some ten megabytes of addresses of others, and joins the network by itself. */
const MAX_SLOTS = 8
/** A whole router.info has 500 bytes or more; a router that is killed while it writes leaves a part. */
const LEAST_INFO_BYTES = 450

/** The folder of a private router, which no other process uses meanwhile. */
export interface Slot {
  readonly folder: string
  readonly lock: AsyncDisposable
}

/**
 * Takes the first folder that is free: what the router before learnt of the network is in it, so that the next one is up in seconds instead
 * of minutes.
 * @throws BackendUnavailableError when all are taken
 */
export async function takeSlot(paths: BeamPaths): Promise<Slot> {
  for (let index = 0; index < MAX_SLOTS; index++) {
    const result = await tryProcessLock(paths, `i2p router ${index}`)
    if (!('lock' in result)) continue
    const folder = join(paths.data, 'i2p', `router-${index}`)
    try {
      for (const sub of ['tunnels.d', 'certificates']) await mkdir(join(folder, sub), { recursive: true, mode: 0o700 })
      const info = join(folder, 'router.info')
      if (((await stat(info).catch(() => undefined))?.size ?? LEAST_INFO_BYTES) < LEAST_INFO_BYTES) await unlink(info)
    } catch (cause) {
      await result.lock[Symbol.asyncDispose]()
      throw new BackendUnavailableError(`The folder ${folder} of the private I2P router cannot be used: ${(cause as Error).message}`, {
        cause,
      })
    }
    return { folder, lock: result.lock }
  }
  throw new BackendUnavailableError(`${MAX_SLOTS} processes of Beam run a private I2P router already.`, {
    hint: 'Start one router for all of them: i2pd with [sam] enabled = true. Beam uses it when it answers on 127.0.0.1:7656.',
  })
}
