/** One number of the onion report. */
export interface OnionFigure {
  readonly name: string
  readonly unit: 's' | 'ms' | 'MiB/s'
  readonly better: 'higher' | 'lower'
}

/** Every figure, in the order of the report. MiB = 2^20 bytes. */
export const ONION_FIGURES = [
  { name: 'ready-cold', unit: 's', better: 'lower' },
  { name: 'ready-warm', unit: 's', better: 'lower' },
  { name: 'ttfb-new', unit: 'ms', better: 'lower' },
  { name: 'ttfb-warm', unit: 'ms', better: 'lower' },
  { name: 'stream-1', unit: 'ms', better: 'lower' },
  { name: 'streams-50', unit: 'ms', better: 'lower' },
  { name: 'down-1', unit: 'MiB/s', better: 'higher' },
  { name: 'down-4', unit: 'MiB/s', better: 'higher' },
] as const satisfies readonly OnionFigure[]

/** Name of a figure. */
export type OnionFigureName = (typeof ONION_FIGURES)[number]['name']

/** What one peer gave in one round. */
export type OnionValues = Partial<Record<OnionFigureName, number>>
