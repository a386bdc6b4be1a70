import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import type { BenchmarkFigures, BenchmarkLatency } from '../../plugins/benchmark/index.ts'
import type { Row } from './benchmark-figures.ts'

/** What the script of the page needs to draw one plot: both axes, and a column of values for each series. */
export interface Plot {
  readonly id: string
  readonly title: string
  readonly subtitle: string
  /** What the horizontal axis is. */
  readonly x: string
  readonly unit: 'time' | 'rate'
  readonly range: readonly [from: number, to: number]
  readonly ticks: ReadonlyArray<{ readonly at: number; readonly label: string }>
  /** `colour` is the place of the subject in the list of all, so that it has one colour in every plot. */
  readonly series: ReadonlyArray<{ readonly name: string; readonly colour: number; readonly dots?: boolean }>
  readonly data: ReadonlyArray<ReadonlyArray<number | null>>
}

/** Percentiles of the curves. Where a curve has fewer samples than a percentile needs, it ends before. */
const PERCENTILES = [0, 10, 25, 50, 75, 90, 95, 99, 99.9] as const
const SIZES = ['50KiB', '1MiB', '5MiB'] as const
const KIB_OF = { '50KiB': 50, '1MiB': 1024, '5MiB': 5120 } as const

/** All plots for which something was measured. */
export function plotsOf(rows: readonly Row[]): Plot[] {
  const plots = [
    percentiles(rows, {
      id: 'requests',
      title: 'Requests',
      subtitle: 'open loop, from the moment at which each was to begin',
      of: ({ requests }) => requests,
    }),
    percentiles(rows, { id: 'first-byte', title: 'First byte', subtitle: 'of a new connection', of: ({ firstByte }) => firstByte }),
    transfers(rows),
    rates(rows),
  ]
  return plots.filter(({ series }) => series.length > 0)
}

/** Equal steps for 0, 90, 99 and 99.9 %, as latency is drawn since HdrHistogram: the tail is not pressed into the edge. */
const nines = (percentile: number): number => -Math.log10(1 - percentile / 100)

function percentiles(
  rows: readonly Row[],
  { of, ...about }: Pick<Plot, 'id' | 'title' | 'subtitle'> & { readonly of: (figures: BenchmarkFigures) => BenchmarkLatency | undefined },
): Plot {
  const measured = rows.flatMap(({ name, figures }, colour) => {
    const latency = figures && of(figures)
    return latency === undefined ? [] : [{ name, colour, latency }]
  })
  return {
    ...about,
    x: 'percentile',
    unit: 'time',
    range: [0, nines(99.9)],
    ticks: PERCENTILES.filter((percentile) => percentile !== 10 && percentile !== 25).map((percentile) => ({
      at: nines(percentile),
      label: percentile === 0 ? 'best' : `${percentile}%`,
    })),
    series: measured.map(({ name, colour }) => ({ name, colour })),
    data: [PERCENTILES.map(nines), ...measured.map(({ latency }) => curve(latency))],
  }
}

function curve({ hdr, count }: BenchmarkLatency): Array<number | null> {
  const histogram = decodeFromCompressedBase64(hdr)
  return PERCENTILES.map((percentile) =>
    (1 - percentile / 100) * count >= 1 || percentile <= 50 ? histogram.getValueAtPercentile(percentile) / 1_000 : null,
  )
}

function transfers(rows: readonly Row[]): Plot {
  const measured = rows.flatMap(({ name, figures }, colour) => {
    const medians = SIZES.map((size) => figures?.transfers[size]?.p50Ms ?? null)
    return medians.every((median) => median === null) ? [] : [{ name, colour, medians }]
  })
  const at = SIZES.map((size) => Math.log10(KIB_OF[size]))
  return {
    id: 'transfers',
    title: 'Transfers',
    subtitle: 'median time from a new connection to the last byte',
    x: 'size',
    unit: 'time',
    range: [1.5, 3.9],
    ticks: SIZES.map((size, index) => ({ at: at[index] ?? 0, label: size.replace('KiB', ' KiB').replace('MiB', ' MiB') })),
    series: measured.map(({ name, colour }) => ({ name, colour })),
    data: [at, ...measured.map(({ medians }) => medians)],
  }
}

/** Every round is a dot: downloads left of the middle, uploads right of it. */
function rates(rows: readonly Row[]): Plot {
  const dots = rows.flatMap(({ name, figures }, colour) => {
    const { down, up } = figures?.goodput ?? {}
    const place = (values: readonly number[] | undefined, side: number) =>
      (values ?? []).map((value, round) => ({ at: colour + side + round * 0.04, value, colour, name }))
    return [...place(down?.values, -0.25), ...place(up?.values, 0.1)]
  })
  const named = rows.flatMap(({ name }, colour) => (dots.some((dot) => dot.colour === colour) ? [{ name, colour, dots: true }] : []))
  return {
    id: 'rates',
    title: 'Goodput',
    subtitle: 'one dot for each round: downloads left, uploads right',
    x: 'subject',
    unit: 'rate',
    range: [-0.6, rows.length - 0.4],
    ticks: rows.map(({ name }, at) => ({ at, label: name })),
    series: named,
    data: [dots.map(({ at }) => at), ...named.map(({ colour }) => dots.map((dot) => (dot.colour === colour ? dot.value : null)))],
  }
}
