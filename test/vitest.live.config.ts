import { mergeConfig } from 'vitest/config'
import { NAMESPACED, namespacedPool } from './live/namespaced.ts'
import base from './vitest.config.ts'

const common = mergeConfig(
  { ...base, test: { ...base.test, include: undefined, exclude: undefined } },
  // Daemons share ports and memory; two cores carry one of them at a time.
  // What real networks take varies: a test that fails is tried once more, and the report marks it (`retry x1`), so that it is looked at.
  { test: { exclude: ['test/.tmp/**'], fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000, retry: 1 } },
)

/**
 * Real programs and network namespaces (`npm run test:live`), against the built package, and whatever needs another toolchain, npm or more
 * time than `npm test` may take (`*.live.test.ts` beside the tests of the same subject). What a test needs and this machine lacks is
 * reported with how to install it, and fails when CI is set (test/live/requirements.ts).
 */
export default mergeConfig(
  { resolve: base.resolve },
  {
    test: {
      root: base.test?.root,
      projects: [
        mergeConfig(common, {
          test: {
            name: 'live',
            include: ['test/live/**/*.test.ts', 'test/**/*.live.test.ts'],
            exclude: NAMESPACED,
          },
        }),
        mergeConfig(common, {
          test: {
            name: 'namespaced',
            include: NAMESPACED,
            pool: namespacedPool,
            // The setup keeps daemons off the network; these have a private one.
            env: { BEAM_TOR_TORRC: '', BEAM_ATOR_TORRC: '' },
            // Each file has its own network, and waits for circuits most of the time: two at once take little more than one.
            fileParallelism: true,
            maxWorkers: 2,
            sequence: { groupOrder: 1 },
          },
        }),
      ],
    },
  },
)
