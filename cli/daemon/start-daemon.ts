import { spawn } from 'node:child_process'
import { sleep } from '../../core/clock.ts'
import { BackendUnavailableError } from '../../core/errors.ts'
import type { BeamPaths } from '../../core/paths.ts'
import { findDaemon, type FoundProcess } from './find-processes.ts'
import { logPath } from './log-path.ts'

/** How long a daemon may take until it answers, in milliseconds: a slow, busy machine needs some seconds. */
const START_TIMEOUT_MS = 30_000
/** How often it is looked for, in milliseconds. */
const POLL_MS = 50
/** What the daemon says when it cannot start is at most a few lines. */
const MAX_OUTPUT_BYTES = 16 * 1024
/** How long an ending daemon is waited for, in milliseconds: it ends its tunnels in order within five seconds. */
const STOP_TIMEOUT_MS = 15_000

/** Variables that concern the command that started the daemon, not the daemon: secret words, the caller's file. */
const NOT_INHERITED = ['BEAM_SECRET', 'BEAM_CONFIG', 'BEAM_DEBUG']

/**
 * The daemon: the one that runs, else a new one, detached from this process and its terminal. Resolves when it answers.
 * @throws BackendUnavailableError (`BEAM_ERR_DAEMON`) with what it said
 */
export async function startDaemon(paths: BeamPaths): Promise<{ readonly daemon: FoundProcess; readonly started: boolean }> {
  const running = await findDaemon(paths)
  if (running !== undefined) return { daemon: running, started: false }
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'daemon', 'run'], {
    detached: true,
    env: daemonEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
  })
  let output = ''
  let gone = false
  child.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(0, MAX_OUTPUT_BYTES)))
  child.on('close', () => (gone = true))
  child.on('error', (error) => {
    output += error.message
    gone = true
  })
  try {
    const deadline = Date.now() + START_TIMEOUT_MS
    for (;;) {
      const wasGone = gone
      const daemon = await findDaemon(paths)
      // Another starter may have been faster: its daemon is as good.
      if (daemon !== undefined) return { daemon, started: daemon.process.pid === child.pid }
      const lostRace = wasGone && output.includes('BEAM_ERR_DAEMON_RUNNING')
      if ((wasGone && !lostRace) || Date.now() > deadline) throw notStarted(output, paths)
      await sleep(POLL_MS)
    }
  } finally {
    child.stderr.destroy()
    child.unref()
  }
}

/** Ends the daemon and waits until it is gone. Returns its process id; undefined when none ran. */
export async function stopDaemon(paths: BeamPaths): Promise<number | undefined> {
  const daemon = await findDaemon(paths)
  if (daemon === undefined) return undefined
  const { pid } = daemon.process
  await daemon.client.shutdown()
  const deadline = Date.now() + STOP_TIMEOUT_MS
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      throw new BackendUnavailableError(`The daemon (process ${pid}) does not end.`, {
        code: 'BEAM_ERR_DAEMON',
        hint: `Its log may say why: beam daemon logs. To end it at once: kill -9 ${pid}`,
      })
    }
    await sleep(POLL_MS)
  }
  return pid
}

function daemonEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of NOT_INHERITED) delete env[name]
  return env
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function notStarted(output: string, paths: BeamPaths): BackendUnavailableError {
  const said = output.trim().replace(/^Error /, '')
  return new BackendUnavailableError(`The daemon did not start${said === '' ? '.' : `: ${said}`}`, {
    code: 'BEAM_ERR_DAEMON',
    hint: `Its log may say more: ${logPath(paths)}`,
  })
}
