import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The folders whose layers are checked. */
const LAYERS = ['core', 'backends', 'plugins', 'config', 'cli'] as const

/** What dependency-cruiser says of a module; only what is used here. */
interface CruisedModule {
  readonly source: string
  readonly dependencies: ReadonlyArray<{
    readonly resolved: string
    readonly dynamic: boolean
    readonly dependencyTypes: readonly string[]
  }>
}

/** A finding: which rule, where. */
export interface Violation {
  readonly rule: string
  readonly from: string
  readonly to: string
}

/** What came out of one look at a tree. */
export interface Cruise {
  readonly modules: readonly CruisedModule[]
  readonly violations: readonly Violation[]
  /** Names of the rules that were applied. */
  readonly rules: readonly string[]
}

/** Looks at every module of the layers below `root` with the rules of .dependency-cruiser.mjs. */
export function cruise(root: string = ROOT): Cruise {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const folders = LAYERS.filter((folder) => readdirSync(root).includes(folder))
  const args = [program, '--config', join(ROOT, '.dependency-cruiser.mjs'), '-T', 'json', ...folders]
  const { stdout, stderr, error } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 << 20,
    timeout: 300_000,
  })
  if (error !== undefined) throw error
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser did not work:\n${stdout}${stderr}`)
  const { modules, summary } = JSON.parse(stdout) as {
    modules: CruisedModule[]
    summary: {
      violations: Array<{ rule: { name: string }; from: string; to: string }>
      ruleSetUsed: { forbidden: Array<{ name: string }> }
    }
  }
  return {
    modules,
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    rules: summary.ruleSetUsed.forbidden.map(({ name }) => name),
  }
}

/**
 * Source files that the cruise did not see. Without a compiler it understands, dependency-cruiser sees no TypeScript at all and reports
 * success; so every file has to be among its modules.
 */
export function unseen({ modules }: Pick<Cruise, 'modules'>, root: string = ROOT): string[] {
  const seen = new Set(modules.map(({ source }) => source))
  return LAYERS.filter((folder) => readdirSync(root).includes(folder))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !seen.has(file))
}
