import { join } from 'node:path'
import { openPins, type BeamPaths, type PinStore } from '../../core/index.ts'

/**
 * Who was accepted for names at meeting places behind other networks. Apart from what was accepted on the mesh: the keys that stand for one
 * service here and there are not the same.
 */
export function registeredPins(paths: BeamPaths): PinStore {
  return openPins({ ...paths, data: join(paths.data, 'rendezvous') })
}
