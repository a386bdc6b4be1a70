import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile, type BeamPaths } from '../../../core/index.ts'
import type { Uplink } from './protocol.ts'

/** Where a namespace is, for further Beams of the same user. */
export interface MeshPlace {
  readonly uplink: Uplink
  /** The first process in it. */
  readonly pid: number
}

/** Two numbers and a word. */
const MAX_BYTES = 1_024

function fileOf(paths: BeamPaths): string {
  return join(paths.runtime, 'anonet', 'mesh.json')
}

/** The namespace that is kept now; undefined when there is none, or it is still being made. */
export async function readMeshPlace(paths: BeamPaths): Promise<MeshPlace | undefined> {
  const content = await readPrivateFile(fileOf(paths), { maxBytes: MAX_BYTES })
  try {
    const { uplink, pid } = JSON.parse(content?.toString('utf8') ?? '') as Partial<MeshPlace>
    const known = (uplink === 'direct' || uplink === 'relayed') && typeof pid === 'number' && Number.isInteger(pid) && pid > 1
    return known ? { uplink, pid } : undefined
  } catch {
    return undefined
  }
}

/** Tells others where it is. */
export async function writeMeshPlace(paths: BeamPaths, place: MeshPlace): Promise<void> {
  await writePrivateFile(fileOf(paths), JSON.stringify(place), { replace: true })
}

/** It is no more. */
export async function removeMeshPlace(paths: BeamPaths): Promise<void> {
  await unlink(fileOf(paths)).catch(() => {})
}
