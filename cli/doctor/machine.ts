import { execFile } from 'node:child_process'
import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { BeamPaths } from '../../core/paths.ts'
import type { Check, Finding } from './finding.ts'

type Result = Pick<Finding, 'state' | 'detail' | 'advice'>

const DEADLINE_MS = 2_000

/** Connections of one visitor take two descriptors; below this, a hundred visitors with ten connections each come near the limit. */
const ENOUGH_FILES = 4_096

/** The oldest Node that runs Beam: `engines.node` of package.json. */
const OLDEST_NODE = [20, 19] as const

/** Node itself, the folders and the limits of this process. */
export function machineChecks(paths: BeamPaths): Check[] {
  const folders = Object.entries(paths).map(([id, folder]): Check => ({
    group: 'machine',
    id: `folder-${id}`,
    title: `${id[0]?.toUpperCase()}${id.slice(1)} folder`,
    essential: id !== 'config',
    deadlineMs: DEADLINE_MS,
    run: () => folderState(folder, process.getuid?.()),
  }))
  return [
    {
      group: 'machine',
      id: 'node',
      title: 'Node.js',
      essential: true,
      deadlineMs: DEADLINE_MS,
      run: async () => nodeState(process.versions.node),
    },
    ...folders,
    { group: 'machine', id: 'open-files', title: 'Open files', deadlineMs: DEADLINE_MS, run: openFiles },
  ]
}

/** Whether a version of Node runs Beam. */
export function nodeState(version: string): Result {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return { state: 'ok', detail: version }
  return { state: 'broken', detail: version, advice: `Install Node.js ${OLDEST_NODE.join('.')} or newer.` }
}

/** Whether a folder can be used, or could be made, by this user and nobody else. */
export async function folderState(folder: string, uid: number | undefined): Promise<Result> {
  const found = await stat(folder).catch(() => undefined)
  if (found === undefined) {
    const parent = await nearestExisting(folder)
    return (await isWritableFolder(parent))
      ? { state: 'ok', detail: `${folder} (made on first use)` }
      : {
          state: 'broken',
          detail: `${folder} cannot be made: ${parent} is not writable`,
          advice: 'Make it writable, or set BEAM_HOME to a folder of your own.',
        }
  }
  if (!found.isDirectory()) return { state: 'broken', detail: `${folder} is no folder`, advice: 'Remove it.' }
  if (uid !== undefined && found.uid !== uid)
    return { state: 'broken', detail: `${folder} belongs to another user`, advice: 'Set BEAM_HOME to a folder of your own.' }
  if (!(await isWritable(folder))) return { state: 'broken', detail: `${folder} is not writable`, advice: `chmod 700 ${folder}` }
  const mode = found.mode & 0o777
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    return { state: 'limited', detail: `${folder} is open to others (mode ${mode.toString(8)})`, advice: `chmod 700 ${folder}` }
  }
  return { state: 'ok', detail: folder }
}

async function nearestExisting(folder: string): Promise<string> {
  let parent = dirname(folder)
  while (parent !== dirname(parent) && (await stat(parent).catch(() => undefined)) === undefined) parent = dirname(parent)
  return parent
}

const isWritableFolder = async (folder: string): Promise<boolean> => (await stat(folder)).isDirectory() && (await isWritable(folder))

const isWritable = (folder: string): Promise<boolean> =>
  access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )

async function openFiles(signal: AbortSignal): Promise<Result> {
  if (process.platform === 'win32') return { state: 'ok', detail: 'no limit on this system' }
  // A child has the same limit, which Node has already raised as far as it may.
  const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n'], { signal, timeout: DEADLINE_MS })
  return openFilesState(stdout.trim())
}

/** Whether the limit on open files is enough for a busy service. */
export function openFilesState(limit: string): Result {
  const files = limit === 'unlimited' ? Infinity : Number(limit)
  if (files >= ENOUGH_FILES) return { state: 'ok', detail: limit }
  return { state: 'limited', detail: `${limit}: about ${Math.floor(files / 2)} connections at once`, advice: 'Raise it: ulimit -n 65536' }
}
