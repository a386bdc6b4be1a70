/** What is measured together: one piece of load on one peer gives one or more figures. */
export type Measurement = 'bulk-down' | 'bulk-up' | 'requests' | 'first-byte' | 'connections' | 'idle' | 'crowd' | 'start-up'

/** What a figure has to reach. */
export interface Target {
  /** The median of the ratios of Beam to `ssh -R` in the same round, the median of Beam's own values, or its worst round. */
  readonly kind: 'ratio' | 'value' | 'worst'
  readonly limit: number
  /** What is hoped for beyond the limit. */
  readonly aim?: number
}

/** One number of the report. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly measurement: Measurement
  readonly target?: Target
}

/** Every figure, in the order of the report. GB = 10^9, MB = 10^6, KiB = 1024 bytes. */
export const FIGURES: readonly Figure[] = [
  { name: 'down', unit: 'MB/s', better: 'higher', measurement: 'bulk-down', target: { kind: 'ratio', limit: 1 } },
  { name: 'up', unit: 'MB/s', better: 'higher', measurement: 'bulk-up', target: { kind: 'ratio', limit: 1 } },
  { name: 'cpu-down', unit: 'CPU-s/GB', better: 'lower', measurement: 'bulk-down', target: { kind: 'ratio', limit: 1, aim: 0.7 } },
  { name: 'cpu-up', unit: 'CPU-s/GB', better: 'lower', measurement: 'bulk-up', target: { kind: 'ratio', limit: 1, aim: 0.7 } },
  { name: 'requests', unit: '/s', better: 'higher', measurement: 'requests', target: { kind: 'ratio', limit: 3 } },
  { name: 'requests-cpu', unit: 'µs', better: 'lower', measurement: 'requests' },
  { name: 'ttfb-p50', unit: 'ms', better: 'lower', measurement: 'first-byte', target: { kind: 'ratio', limit: 2, aim: 1 } },
  { name: 'ttfb-p99', unit: 'ms', better: 'lower', measurement: 'first-byte' },
  { name: 'connections', unit: '/s', better: 'higher', measurement: 'connections', target: { kind: 'ratio', limit: 0.7, aim: 1.5 } },
  { name: 'idle-publisher', unit: 'KiB', better: 'lower', measurement: 'idle', target: { kind: 'value', limit: 25 } },
  { name: 'idle-connector', unit: 'KiB', better: 'lower', measurement: 'idle', target: { kind: 'value', limit: 25 } },
  { name: 'crowd-errors', unit: '', better: 'lower', measurement: 'crowd', target: { kind: 'worst', limit: 0 } },
  { name: 'version', unit: 's', better: 'lower', measurement: 'start-up', target: { kind: 'value', limit: 0.35 } },
  { name: 'ready', unit: 's', better: 'lower', measurement: 'start-up', target: { kind: 'value', limit: 1.5 } },
]

/** Figures whose name is one of `wanted` or begins with one and a hyphen: `cpu` is cpu-down and cpu-up. All without `wanted`. */
export function chooseFigures(wanted: readonly string[] | undefined): readonly Figure[] {
  if (wanted === undefined) return FIGURES
  for (const name of wanted) if (!FIGURES.some((figure) => matches(figure, name))) throw new RangeError(`no figure "${name}"`)
  return FIGURES.filter((figure) => wanted.some((name) => matches(figure, name)))
}

function matches({ name }: Figure, wanted: string): boolean {
  return name === wanted || name.startsWith(`${wanted}-`)
}

/** How a value or a ratio stands to its target. */
export function judge({ better, target }: Figure, value: number): 'ok' | 'aim met' | 'short' | undefined {
  if (target === undefined || Number.isNaN(value)) return undefined
  const reaches = (limit: number): boolean => (better === 'higher' ? value >= limit : value <= limit)
  if (!reaches(target.limit)) return 'short'
  return target.aim !== undefined && reaches(target.aim) ? 'aim met' : 'ok'
}
