import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import type { BenchmarkEnvironment } from './report.generated.ts'

/** This machine, now. */
export function environmentNow(): Omit<BenchmarkEnvironment, 'loadAfter'> {
  const { version } = createRequire(import.meta.url)('beam-tunnel/package.json') as { version: string }
  return {
    date: new Date().toISOString(),
    beam: version,
    node: process.version,
    system: `${type()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    loadBefore: loadNow(),
  }
}

/** Load of the machine (1 minute); 0 where the system knows no such thing. */
export function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100
}
