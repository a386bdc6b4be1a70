import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** What runs inside of the namespace of a private I2P network (test/live/i2p.test.ts starts it there). */
export default mergeConfig(
  { ...base, test: { ...base.test, include: undefined, exclude: undefined, setupFiles: undefined, maxWorkers: undefined } },
  {
    test: {
      include: ['test/live/i2p/*.inside.ts'],
      globalSetup: ['test/live/i2p/global-setup.ts'],
      // A part of the suite leaves chapters empty.
      passWithNoTests: true,
      // Routers share two cores with the tests; what waits for tunnels waits beside others.
      maxWorkers: 3,
      maxConcurrency: 6,
      testTimeout: 180_000,
      hookTimeout: 120_000,
      // As in the live ring around it.
      retry: 1,
    },
  },
)
