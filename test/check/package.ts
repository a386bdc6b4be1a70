/** `npm run package`: whether what would be published can be imported as package.json says. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { ROOT } from './cruise.ts'
import { npm } from './npm.ts'

const pkg = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>
const { messages } = await publint({ pkgDir: ROOT, strict: true, pack: 'npm' })
// `beam:source` is the condition of this repository's own tests. What is packed has no sources, and nobody else sets it.
const problems = messages.filter((message) => !message.path.includes('beam:source'))
for (const message of problems) console.error(`${message.type}: ${formatMessage(message, pkg) ?? message.code}`)

const { stdout } = spawnSync(...npm('pack', '--dry-run', '--json', '--ignore-scripts'), {
  cwd: ROOT,
  encoding: 'utf8',
  maxBuffer: 64 << 20,
})
const [packed] = JSON.parse(stdout) as Array<{ files: Array<{ path: string }>; size: number }>
const strange = (packed?.files ?? [])
  .map(({ path }) => path)
  .filter((path) => /(\.test\.|\.tsbuildinfo$|^test\/|(?<!\.d)\.ts$)/.test(path) && !path.startsWith('examples/'))
for (const path of strange) console.error(`should not be packed: ${path}`)
console.log(
  `${packed?.files.length ?? 0} files, ${Math.round((packed?.size ?? 0) / 1024)} KB packed, ${problems.length + strange.length} problems`,
)
process.exitCode = packed === undefined || problems.length + strange.length > 0 ? 1 : 0
