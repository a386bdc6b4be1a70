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

let stop = async (): Promise<void> => {}

/** One network for all files: it takes some seconds to come up. */
export async function setup(project: TestProject): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'beam-i2p-'))
  const network = new I2pNetwork(folder)
  stop = async () => {
    await network[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await network.start()
  } catch (error) {
    await stop()
    throw error
  }
  project.provide('i2p', network.view())
}

export function teardown(): Promise<void> {
  return stop()
}
