import type { BenchmarkFigures, BenchmarkLatency, BenchmarkReport, BenchmarkSpread } from '../../plugins/benchmark/index.ts'
import { rate } from './capability-words.ts'

/** One figure of a subject: its value, and the range of its rounds. */
export interface Figure {
  readonly name: string
  /** `ms`, `B/s`, `s/GB`, `us`, `MiB` or `share`. */
  readonly unit: string
  readonly value: number
  readonly min?: number
  readonly max?: number
  /** Samples behind it. */
  readonly count?: number
}

/** A control or a network with what was measured of it. */
export interface Row {
  readonly name: string
  readonly kind: 'control' | 'network'
  readonly figures?: BenchmarkFigures
}

/** Everything that was measured, controls first. */
export function rowsOf({ controls, backends }: BenchmarkReport): Row[] {
  return [
    ...controls.map(({ name, figures }): Row => ({ name, kind: 'control', figures })),
    ...backends.map(({ name, figures }): Row => ({ name, kind: 'network', ...(figures && { figures }) })),
  ]
}

/** All figures of a subject as a flat list. */
export function flatFigures({ firstByte, requests, transfers, goodput, success, cost }: BenchmarkFigures): Figure[] {
  const latency = (name: string, of: BenchmarkLatency | undefined): Figure[] =>
    of === undefined
      ? []
      : [
          { name: `${name}-p50`, unit: 'ms', value: of.p50Ms, min: of.medians.min, max: of.medians.max, count: of.count },
          { name: `${name}-p90`, unit: 'ms', value: of.p90Ms, count: of.count },
          { name: `${name}-p99`, unit: 'ms', value: of.p99Ms, count: of.count },
          ...(of.p999Ms === undefined ? [] : [{ name: `${name}-p99.9`, unit: 'ms', value: of.p999Ms, count: of.count }]),
          { name: `${name}-max`, unit: 'ms', value: of.maxMs, count: of.count },
        ]
  const spread = (name: string, unit: string, of: BenchmarkSpread | undefined): Figure[] =>
    of === undefined ? [] : [{ name, unit, value: of.median, min: of.min, max: of.max, count: of.values.length }]
  const plain = (name: string, unit: string, value: number | undefined): Figure[] => (value === undefined ? [] : [{ name, unit, value }])
  const [least = 0, most = 1] = success.interval
  return [
    ...latency('first-byte', firstByte),
    ...latency('requests', requests),
    ...latency('50KiB', transfers['50KiB']),
    ...latency('1MiB', transfers['1MiB']),
    ...latency('5MiB', transfers['5MiB']),
    ...spread('download', 'B/s', goodput.down),
    ...spread('upload', 'B/s', goodput.up),
    { name: 'success', unit: 'share', value: success.share, min: least, max: most, count: success.attempted },
    ...plain('timeouts', '', success.timeouts),
    ...spread('cpu', 's/GB', cost.cpuSecondsPerGb),
    ...spread('cpu-per-request', 'us', cost.cpuMicrosecondsPerRequest),
    ...plain('memory-daemons', 'MiB', cost.daemonsMib),
    ...plain('memory-process', 'MiB', cost.processMib),
  ]
}

/** A duration for people, to three digits. */
export function timeText(ms: number | undefined): string {
  if (ms === undefined) return '-'
  return ms < 1_000 ? `${digits(ms)} ms` : `${digits(ms / 1_000)} s`
}

/** A median with half the range of its rounds. */
export function rateText(spread: BenchmarkSpread | undefined): string {
  if (spread === undefined) return '-'
  const { median, min, max } = spread
  const scatter = median === 0 ? 0 : Math.round(((max - min) / 2 / median) * 100)
  return `${rate(median)} ±${scatter}%`
}

/** Three digits, no exponent. */
export function digits(value: number): string {
  if (value >= 100) return String(Math.round(value))
  return value === 0 ? '0' : value.toPrecision(3).includes('e') ? value.toFixed(3) : String(Number(value.toPrecision(3)))
}
