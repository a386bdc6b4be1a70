/** Starts the unruly executable and tells its own process id and the executable's. For process.test.ts, which kills it. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLogger, systemClock } from '../../../core/index.ts'
import { ExecutableBackend } from '../../../plugins/executable/index.ts'

const [, , folder = ''] = process.argv
const backend = new ExecutableBackend(
  { name: 'unruly', command: [process.execPath, fileURLToPath(new URL('unruly.mjs', import.meta.url)), 'none', join(folder, 'notes')] },
  { logger: silentLogger, clock: systemClock, paths: { config: folder, data: folder, state: folder, runtime: folder } },
)
await backend.initialize()
console.log(JSON.stringify([process.pid, backend.pid]))
