import { mergeConfig } from 'vitest/config'
import base from './vitest.config.ts'

/**
 * Real programs and network namespaces (`npm run test:live`), against the built package, and whatever needs another toolchain, npm or more
 * time than `npm test` may take (`*.live.test.ts` beside the tests of the same subject). What a test needs and this machine lacks is
 * reported with how to install it, and fails when CI is set (test/live/requirements.ts).
 */
export default mergeConfig(
  { ...base, test: { ...base.test, include: undefined, exclude: undefined } },
  {
    test: {
      include: ['test/live/**/*.test.ts', 'test/**/*.live.test.ts'],
      exclude: ['test/.tmp/**'],
      // Daemons share ports and memory; two cores carry one of them at a time.
      fileParallelism: false,
      testTimeout: 120_000,
      hookTimeout: 120_000,
    },
  },
)
