import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { ConfigError } from '../../core/index.ts'
import { TEMPLATE } from './template.generated.ts'

/** Languages in which a project can be made. An executable in any other language needs no project: docs/executable-backends.md. */
const PROJECT_LANGUAGES = ['typescript'] as const

/** What project is wanted. */
export interface BackendProjectOptions {
  /** The folder of the project; it must be new or empty. */
  readonly directory: string
  /** Name of the backend: lower-case letters, digits and hyphens, at most 32. */
  readonly name: string
  readonly language: (typeof PROJECT_LANGUAGES)[number]
  /** Where npm finds Beam, as a package.json says it. Default: its version; the running package itself where it is not published. */
  readonly beam?: string
}

/** A project that was made. */
export interface BackendProject {
  /** Absolute. */
  readonly directory: string
  readonly packageName: string
  /** Relative to the folder, with slashes. */
  readonly files: readonly string[]
}

/** The form of a backend's name, as manifests have it. */
const NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,31}$/
/** Names of the example that the template is made of, in the two spellings that code uses. */
const EXAMPLE_NAME = /tin-can/g
const EXAMPLE_CLASS = /TinCan/g

/**
 * Writes a package with a complete small backend over loopback TCP, its schema, manifest, README and tests (Beam's conformance suite
 * among them). `npm install && npm test` passes in it as it is.
 * @throws ConfigError when the name is no backend's name, the language is unknown, or the folder holds something
 */
export async function createBackendProject(options: BackendProjectOptions): Promise<BackendProject> {
  const { name, language } = options
  if (!NAME.test(name)) {
    throw new ConfigError(`“${name}” is no name for a backend.`, {
      hint: 'Use lower-case letters, digits and single hyphens, beginning with a letter; at most 32.',
    })
  }
  if (!PROJECT_LANGUAGES.includes(language)) {
    throw new ConfigError(`There is no template for ${language as string}.`, {
      hint: `Templates: ${PROJECT_LANGUAGES.join(', ')}. An executable in any language can be a backend without one: docs/executable-backends.md.`,
    })
  }
  const directory = resolve(options.directory)
  await assertEmpty(directory)
  const files = Object.keys(TEMPLATE)
  const beam = await findBeam()
  for (const [file, text] of Object.entries(TEMPLATE)) {
    const path = join(directory, ...file.split('/'))
    await mkdir(dirname(path), { recursive: true })
    const renamed = text.replace(EXAMPLE_NAME, name).replace(EXAMPLE_CLASS, className(name))
    await writeFile(path, file === 'package.json' ? withBeam(renamed, beam, options.beam ?? specifier(beam, directory)) : renamed)
  }
  return { directory, packageName: `beam-backend-${name}`, files }
}

async function assertEmpty(directory: string): Promise<void> {
  let found: readonly string[]
  try {
    found = await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new ConfigError(`${directory} cannot be used: ${(error as Error).message}`, { cause: error })
  }
  if (found.length > 0) throw new ConfigError(`${directory} is not empty.`, { hint: 'Name a folder that does not exist yet.' })
}

/** `my-net2` → `MyNet2`. */
function className(name: string): string {
  return name
    .split('-')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
}

interface Beam {
  readonly root: string
  readonly version: string
  readonly private?: boolean
}

/** The package that runs now. */
async function findBeam(): Promise<Beam> {
  const path = createRequire(import.meta.url).resolve('beam-tunnel/package.json')
  return { root: dirname(path), ...(JSON.parse(await readFile(path, 'utf8')) as Omit<Beam, 'root'>) }
}

function specifier(beam: Beam, directory: string): string {
  return beam.private === true ? `file:${relative(directory, beam.root).split(sep).join('/')}` : `^${beam.version}`
}

interface PackageFile {
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

/** The text of a package.json that takes Beam from there. */
function withBeam(text: string, { version }: Beam, from: string): string {
  const value = JSON.parse(text) as PackageFile
  const changed = {
    ...value,
    peerDependencies: { ...value.peerDependencies, 'beam-tunnel': `^${version}` },
    devDependencies: { ...value.devDependencies, 'beam-tunnel': from },
  }
  return `${JSON.stringify(changed, null, 2)}\n`
}
