import { writeFile } from 'node:fs/promises'
import { ConfigError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { openBenchmark, type BenchmarkOptions, type BenchmarkReport } from '../plugins/benchmark/index.ts'
import { temporaryHome } from './input/temporary-home.ts'
import { Lifetime } from './lifetime.ts'
import { benchmarkCsv } from './output/benchmark-csv.ts'
import { benchmarkHtml } from './output/benchmark-html.ts'
import { progressText } from './output/benchmark-progress.ts'
import { benchmarkText } from './output/benchmark-text.ts'
import { colours } from './output/colours.ts'
import { writeJson } from './output/config-text.ts'
import { columnsOf } from './output/layout.ts'

/** The word for standard output in place of a file. */
const STDOUT = '-'

/** What `beam benchmark` writes, besides its progress. Without `json`, and with files only, the tables are on stdout. */
export interface BenchmarkOutput {
  readonly json: boolean
  /** A file, or `-`. */
  readonly csv?: string | undefined
  readonly html?: string | undefined
  readonly quiet: boolean
}

/** How `beam benchmark` measures. */
export interface BenchmarkRun extends Pick<
  BenchmarkOptions,
  'backends' | 'durationMs' | 'rounds' | 'ratePerSecond' | 'timeoutMs' | 'setupLimitMs' | 'maxP99Ms' | 'minSuccess'
> {
  readonly configFile: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly logger: Logger
}

/**
 * Compares networks and writes what was measured, also when it is ended before its time. The networks are ended after that: what was
 * measured is not lost to one that does not end. Resolves with whether the limits were kept and the run came to its end.
 */
export async function runBenchmark({ configFile, env, logger, ...options }: BenchmarkRun, output: BenchmarkOutput): Promise<boolean> {
  using lifetime = new Lifetime()
  await using home = await temporaryHome()
  const tell = progressText()
  await using benchmark = openBenchmark({
    ...options,
    home: home.path,
    beam: { env, logger, ...(configFile === undefined ? {} : { configFile }) },
    signal: lifetime.signal,
    onProgress: (progress) => {
      if (!output.quiet) process.stderr.write(tell(progress))
    },
  })
  const report = await benchmark.run()
  await write(report, output)
  return report.verdict.passed && !report.interrupted
}

async function write(report: BenchmarkReport, { json, csv, html, quiet }: BenchmarkOutput): Promise<void> {
  if (json) writeJson(report)
  if (csv !== undefined) await put(csv, benchmarkCsv(report), quiet)
  if (html !== undefined) await put(html, await benchmarkHtml(report), quiet)
  if (json || csv === STDOUT || html === STDOUT) return
  process.stdout.write(benchmarkText(report, columnsOf(process.stdout), colours(process.stdout)))
}

async function put(file: string, text: string, quiet: boolean): Promise<void> {
  if (file === STDOUT) {
    process.stdout.write(text)
    return
  }
  try {
    await writeFile(file, text)
  } catch (cause) {
    throw new ConfigError(`${file} cannot be written: ${(cause as Error).message}`, { code: 'BEAM_ERR_USAGE', cause })
  }
  if (!quiet) process.stderr.write(`Written: ${file}\n`)
}
