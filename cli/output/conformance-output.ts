import type { ConformanceReport, PromiseResult } from '../../core/testing/index.ts'
import { isPluginFault } from '../../plugins/faults.ts'
import { colours } from './colours.ts'
import { promiseText, summaryText, tally } from './conformance-text.ts'
import { columnsOf, wrap } from './layout.ts'

/** Faults that are told; a backend that throws in a timer throws for ever. */
const MAX_FAULTS = 20

/** Writes what a run of the conformance suite finds out, as it comes: rows of a table, or one JSON object a line. */
export class ConformanceOutput {
  readonly #json: ((value: unknown) => void) | undefined
  readonly #paint = colours(process.stdout)
  readonly #width = columnsOf(process.stdout)
  readonly #faults: string[] = []
  #chapter = ''
  #passed = false

  /** @param json writes an object as a line; absent = text */
  constructor(json: ((value: unknown) => void) | undefined) {
    this.#json = json
  }

  /** Whether the run came to its end with no promise broken and nothing thrown past everybody. */
  get passed(): boolean {
    return this.#passed
  }

  /** Takes what nobody catches: while a backend is tested, that is its doing, and a result like others. */
  watchFaults(): Disposable {
    const onFault = (error: unknown): void => {
      if (!isPluginFault(error)) this.fault(error)
    }
    process.on('uncaughtException', onFault).on('unhandledRejection', onFault)
    return {
      [Symbol.dispose]() {
        process.off('uncaughtException', onFault).off('unhandledRejection', onFault)
      },
    }
  }

  /** @param local the settings that keep the backend on this machine; absent = it was allowed to use the network */
  begin(backend: string, local: readonly { readonly path: string; readonly value: unknown }[] | undefined): void {
    if (this.#json !== undefined) return this.#json({ event: 'begin', backend, network: local === undefined, local: local ?? [] })
    const settings = (local ?? []).map(({ path, value }) => `${path}: ${JSON.stringify(value)}`).join(', ')
    const where =
      local === undefined
        ? 'with its settings as configured, on its network'
        : local.length === 0
          ? 'as it is configured: its schema states no settings that would keep it on this machine'
          : `on this machine only (${settings}); --network leaves the settings as configured`
    process.stdout.write(`${wrap(`Testing ${backend} ${where}.`, this.#width).join('\n')}\n`)
  }

  promise(result: PromiseResult): void {
    const { error: _, ...shown } = result
    if (this.#json !== undefined) return this.#json({ event: 'promise', ...shown })
    const chapter = result.chapter !== this.#chapter
    this.#chapter = result.chapter
    process.stdout.write(promiseText(result, { chapter, width: this.#width, paint: this.#paint }))
  }

  readonly fault = (error: unknown): void => {
    if (this.#faults.length >= MAX_FAULTS) return
    const reason = error instanceof Error ? error.message : String(error)
    this.#faults.push(reason)
    this.#json?.({ event: 'fault', reason })
  }

  end(report: ConformanceReport, interrupted: boolean): void {
    const counts = tally(report.promises)
    const faults = this.#faults.length
    this.#passed = !interrupted && counts.broken === 0 && faults === 0
    const { name: backend, promises: _, ...measured } = report
    if (this.#json !== undefined) return this.#json({ event: 'report', backend, ...counts, faults, interrupted, ...measured })
    process.stdout.write(summaryText(report, { faults: this.#faults, interrupted, width: this.#width, paint: this.#paint }))
  }
}
