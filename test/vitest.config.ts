import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const conditions = ['beam:source', 'node', 'import', 'default']

/** Unit tests, fakes and the mesh on loopback: everything that needs no daemon. The rings are described in CONTRIBUTING.md. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    exclude: ['test/live/**', 'test/**/*.live.test.ts', 'test/.tmp/**'],
    setupFiles: ['test/setup/loopback-only.ts'],
    // Whole commands run in tests; on a busy machine each start takes seconds instead of half of one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A condition that comes true on a busy machine comes true later; vitest would give up after a second.
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    // Most of the time is spent waiting for processes and clocks, so even two cores carry more files at once than vitest would start there.
    maxWorkers: Math.max(4, availableParallelism()),
  },
})
