import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))

/** The `beam` command as users have it. */
export const BEAM = path('cli/bin/run.js')

/** @throws Error when the package is not built. */
export function assertBuilt(): void {
  if (!existsSync(path('dist/cli/main.js'))) throw new Error('the package is not built: npm run build')
}
