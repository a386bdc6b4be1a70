import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConfigError, isBeamError } from '../../core/errors.ts'
import { processInfo } from '../daemon/process-info.ts'
import { writeJson } from '../output/config-text.ts'
import { askAnyway, snapshots } from './ask.ts'
import { reportText, type ReportParts } from './report.ts'

const DAY_MS = 86_400_000

/** What is to be written, and where to. */
export interface ReportRequest {
  /** Folder of the package. */
  readonly root: string
  /** The file; `-` for standard output. */
  readonly output: string | undefined
  readonly json: boolean
  /** Whether standard output is meant where it is no terminal and no file was named: `beam network diagnose > report.txt`. */
  readonly pipes?: boolean
  readonly issue?: string
}

/**
 * Gathers a report and writes it: to the file that was named, to standard output where that is meant, else to a new file here. What cannot be found out stands in it as such.
 * @throws ConfigError when the file cannot be written
 */
export async function writeReport({ root, output, json, pipes = false, issue }: ReportRequest): Promise<void> {
  const at = new Date()
  const text = reportText({ ...(await gather(root)), at, ...(issue === undefined ? {} : { issue }) })
  if (output === '-' || (output === undefined && pipes && !process.stdout.isTTY && !json)) return void process.stdout.write(text)
  const file = resolve(output ?? `beam-network-report-${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}.txt`)
  try {
    await writeFile(file, text, { mode: 0o600, flag: output === undefined ? 'wx' : 'w' })
  } catch (error) {
    throw new ConfigError(`The report cannot be written: ${(error as Error).message}`, {
      code: 'BEAM_ERR_USAGE',
      hint: 'Name another file with --output, or “-” for standard output.',
      cause: error,
    })
  }
  if (json) return writeJson({ file })
  process.stdout.write(`The report is in ${file}. Nothing was sent anywhere.\n`)
}

async function gather(root: string): Promise<Omit<ReportParts, 'at'>> {
  const failures: string[] = []
  const or = async <T>(what: string, value: Promise<T>): Promise<T | undefined> => {
    try {
      return await value
    } catch (error) {
      failures.push(
        isBeamError(error) && error.code === 'BEAM_ERR_BACKEND_IDLE'
          ? `${what}: no Beam process uses the mesh now`
          : `${what}: ${(error as Error).message}`,
      )
      return undefined
    }
  }
  const nodes = (await or('nodes', snapshots())) ?? []
  const period = await or('history', askAnyway({ operation: 'history', shape: 'period', input: { periodMs: DAY_MS, buckets: 1 } }))
  const settings = await or('settings', settingsInForce())
  return {
    version: processInfo(root, 'command').version,
    nodes,
    failures,
    ...(period === undefined ? {} : { period }),
    ...(settings === undefined ? {} : { settings }),
  }
}

/** Those that name nobody; of lists only how long they are. */
async function settingsInForce(): Promise<Record<string, string | number>> {
  const [{ loadConfig }, { configOptions }] = await Promise.all([import('../../config/index.ts'), import('../input/config-options.ts')])
  const { config } = await loadConfig(await configOptions({ verbose: false }))
  const { participation, maxPeers, routing, caching, bootstrap, peers } = config.p2p
  return {
    'p2p.participation': participation,
    'p2p.maxPeers': maxPeers,
    'p2p.routing': routing,
    'p2p.caching': caching,
    'p2p.bootstrap': bootstrap === undefined ? 'the public nodes' : bootstrap.length === 0 ? 'none' : `${bootstrap.length} of your own`,
    'p2p.peers': peers?.length ?? 0,
    'routing.strategy': config.routing.strategy,
  }
}
