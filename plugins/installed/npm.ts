import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { within } from '../../core/index.ts'
import { installError } from './install-error.ts'
import { npmFailure } from './npm-failure.ts'

/** Fetching a large package over a slow line takes minutes; after ten nothing more is to be hoped for. */
const NPM_LIMIT_MS = 600_000
/** A list of a package's files is the longest answer that is read. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024

/** How npm is run. */
export interface NpmOptions {
  /** The folder whose package.json counts. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs the user's own npm in a folder, quietly, and never globally. Resolves with what it wrote to standard output.
 * @throws BeamError `BEAM_ERR_PLUGIN_INSTALL` saying why in one sentence; the signal's reason
 */
export async function npm(args: readonly string[], { folder, signal }: NpmOptions): Promise<string> {
  signal?.throwIfAborted()
  const [program, ...first] = npmCommand()
  const fixed = ['--global=false', '--workspaces=false', '--prefix', folder, '--no-audit', '--no-fund', '--no-update-notifier']
  const child = spawn(program, [...first, ...fixed, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] = (output[name] + text).slice(-MAX_OUTPUT_BYTES)))
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code))
  })
  try {
    const code = await within(ended, { ms: NPM_LIMIT_MS, what: 'npm', signal })
    if (code !== 0) throw npmFailure(output.stderr, code)
    return output.stdout
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw installError('npm was not found; packages are installed with it.', {
      hint: 'Install npm (it comes with Node.js), or put the plugin into a folder and name that under plugins in beam.config.yaml.',
      cause,
    })
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill()
    // What npm still writes must be written before somebody clears the folder away.
    await ended.catch(() => {})
  }
}

/** On Windows npm is a batch file, which takes a shell to start and so cannot be given arguments safely: its script is run instead. */
function npmCommand(): readonly [string, ...string[]] {
  if (process.platform !== 'win32') return ['npm']
  const scripts = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'))
  const script = scripts.find((path) => existsSync(path))
  return script === undefined ? ['npm'] : [process.execPath, script]
}
