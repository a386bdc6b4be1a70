import { isAbsolute, resolve } from 'node:path'
import { ConfigError } from '../../core/index.ts'

/** What is to be installed. */
export type PackageSpec =
  /** A package of the registry that npm is set up to use, perhaps with a version or range. */
  | { readonly kind: 'registry'; readonly name: string; readonly text: string }
  /** A folder or a tarball. */
  | { readonly kind: 'local'; readonly path: string }

/** A package's name, then perhaps `@` and a version, range or tag (https://docs.npmjs.com/cli/using-npm/package-spec). */
const REGISTRY = /^((?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*)(?:@[A-Za-z0-9.^~<>=*+-]{1,64})?$/
/** npm's own limit for names, with room for a range. */
const MAX_SPEC_LENGTH = 300

/**
 * Reads what a user typed. Addresses of repositories and web servers are refused: what they hold today they need not hold tomorrow, and
 * no version says so.
 * @throws ConfigError `BEAM_ERR_USAGE`
 */
export function parsePackageSpec(text: string, cwd: string): PackageSpec {
  if (/^\.{1,2}(?:[/\\]|$)/.test(text) || isAbsolute(text)) return { kind: 'local', path: resolve(cwd, text) }
  if (/\.(?:tgz|tar\.gz)$/.test(text) && !text.includes(':')) return { kind: 'local', path: resolve(cwd, text) }
  const name = text.length > MAX_SPEC_LENGTH ? undefined : REGISTRY.exec(text)?.[1]
  if (name !== undefined) return { kind: 'registry', name, text }
  throw new ConfigError(`${JSON.stringify(text.slice(0, MAX_SPEC_LENGTH))} is no package, folder or tarball.`, {
    code: 'BEAM_ERR_USAGE',
    hint: 'Write it like beam-backend-example, @me/my-backend@1.2, ./my-backend or ./my-backend-1.2.0.tgz.',
  })
}
