import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { I2pNetwork, type NetworkView } from '../../helpers/i2p-network/network.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    i2p: NetworkView
  }
}

/** One network for all files: it takes some seconds to come up. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'beam-i2p-'))
  const network = new I2pNetwork(folder)
  try {
    await network.start()
  } catch (error) {
    await network[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  project.provide('i2p', network.view())
  return async () => {
    await network[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
}
