import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { BeamPlugin } from '../../../core/index.ts'
import { testBackend, type ConformanceFixture } from '../../../core/testing/index.ts'
import { OnionNetwork, type Flavor } from '../../helpers/onion-network/index.ts'
import { onionComponents, ONION_SIZES } from './onion-components.ts'
import { controlsBelow } from './own-daemons.ts'

const NO_HALF_CLOSE = 'Tor ends both directions of a stream when either side ends (tor-spec, section 6.3)'
const NO_RESETS = 'The publisher’s daemon closes its connection to the service properly, whatever the visitor did'

/** Declares the conformance suite for a backend of onion services, over a private network with the real daemon. */
export function declareConformance<Config extends object>(flavor: Flavor, plugin: BeamPlugin<Config>): void {
  describe(`${plugin.name} over a private network`, () => {
    const home = mkdtempSync(join(tmpdir(), 'beam-onion-c-'))
    let network: OnionNetwork
    beforeAll(async () => {
      network = await OnionNetwork.start(flavor)
    })
    afterAll(async () => {
      await network[Symbol.asyncDispose]()
      rmSync(home, { recursive: true, force: true, maxRetries: 3 })
    })

    const create = (): ReturnType<ConformanceFixture['create']> => plugin.create(onionComponents(plugin, network, home))
    testBackend(
      { describe, it },
      {
        name: plugin.name,
        create,
        pair: create,
        reuse: true,
        timeScale: 15,
        sizes: ONION_SIZES,
        linkable: () => shareCircuit(home),
        cannot: {
          'half-close-visitor': NO_HALF_CLOSE,
          'half-close-service': NO_HALF_CLOSE,
          'half-close-untouched': NO_HALF_CLOSE,
          'reset-from-visitor': NO_RESETS,
        },
      },
    )
  })
}

/** Whether any two of the streams that visitors have open now are on one circuit, as the daemons say. */
async function shareCircuit(home: string): Promise<boolean> {
  const controls = await controlsBelow(home)
  try {
    const circuits: string[] = []
    for (const control of controls) {
      // StreamID, status, circuit, target (control-spec, section 3.9).
      const streams = (await control.info('stream-status')).split('\n').map((line) => line.split(' '))
      circuits.push(
        ...streams.filter(([, status, , target]) => status === 'SUCCEEDED' && target?.endsWith(':80')).map(([, , id]) => id ?? ''),
      )
    }
    if (circuits.length < 2) throw new Error('the daemons have no two streams')
    return new Set(circuits).size < circuits.length
  } finally {
    for (const control of controls) control.close()
  }
}
