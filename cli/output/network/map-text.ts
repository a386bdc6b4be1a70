import type { Place } from '../../network/answers.ts'
import { distanceMs } from '../../network/figures.ts'
import type { Colours } from '../colours.ts'
import { Canvas, type Look } from './canvas.ts'
import { msText, shortId } from './words.ts'

/** A node on the map. */
export interface MapPlace {
  readonly id: string
  readonly coordinate: Place
  readonly latencyMs?: number
  readonly country?: string
}

/** What peers are called on the map: what fits one column. */
const MARKS = '123456789abcdefghijklmnopqrstuvwxyz'
/** Terminals' characters are about twice as high as wide. */
const ASPECT = 2
/** Round trips of the rings. */
const RINGS_MS = [1, 3, 10, 30, 100, 300, 1000] as const

/**
 * The network around this node: the distance from the middle is the round trip that the coordinates foretell, on a logarithmic scale, and the
 * direction that of the coordinates. Nothing of it is geography.
 */
export function mapLines(
  self: Place,
  places: readonly MapPlace[],
  size: { readonly columns: number; readonly rows: number },
  paint: Colours,
): string[] {
  const { columns, rows } = size
  const canvas = new Canvas(columns, rows)
  const [middleX, middleY] = [Math.floor(columns / 2), Math.floor(rows / 2)]
  const radius = Math.max(1, Math.min(middleY, Math.floor(middleX / ASPECT)) - 0.5)
  const far = Math.max(1, ...places.map(({ coordinate }) => distanceMs(self, coordinate)))
  const outer = RINGS_MS.find((ring) => ring >= far) ?? far
  const scale = (ms: number): number => (Math.log1p(ms) / Math.log1p(outer)) * radius
  const rings = RINGS_MS.filter((ring) => ring <= outer && scale(ring) >= 2).filter(
    (ring, index, all) => index === all.length - 1 || (all.length - index) % 2 === 1,
  )
  for (const ring of rings) drawRing(canvas, { middleX, middleY, radius: scale(ring) }, paint.dim)
  for (const [index, place] of places.entries()) {
    const distance = scale(distanceMs(self, place.coordinate))
    const [x, y] = directionOf(self, place.coordinate, index)
    put(canvas, Math.round(middleX + x * distance * ASPECT), Math.round(middleY + y * distance), markOf(index), lookOf(place, self, paint))
  }
  canvas.draw(middleX, middleY, '@', paint.bold)
  for (const ring of rings) {
    const row = [middleY - scale(ring), middleY + scale(ring)]
      .map(Math.round)
      .find((at) => hasRoom(canvas, middleX + 1, at, msText(ring).length))
    if (row !== undefined) canvas.draw(middleX + 1, row, msText(ring), paint.dim)
  }
  return canvas.lines()
}

/** What the marks of the map stand for. */
export function mapLegend(self: Place, places: readonly MapPlace[], paint: Colours): string[] {
  return places.map((place, index) => {
    const { id, coordinate, latencyMs, country } = place
    const parts = [
      latencyMs === undefined ? undefined : `${msText(latencyMs)} measured`,
      `${msText(distanceMs(self, coordinate))} by coordinates`,
      country,
    ]
    return `${lookOf(place, self, paint)(markOf(index))}  ${shortId(id)}  ${parts.filter((part) => part !== undefined).join(', ')}`
  })
}

/** What peers are called on the map, by their ids. */
export function marksOf(places: readonly MapPlace[]): ReadonlyMap<string, string> {
  return new Map(places.map(({ id }, index) => [id, markOf(index)]))
}

const markOf = (index: number): string => MARKS[index] ?? '*'

function lookOf({ coordinate, latencyMs }: MapPlace, self: Place, paint: Colours): Look {
  const ms = latencyMs ?? distanceMs(self, coordinate)
  return ms < 100 ? paint.green : ms < 300 ? paint.yellow : paint.red
}

/** Where it lies: of the three dimensions the first two. Nodes at the same place go to directions of their own. */
function directionOf(self: Place, other: Place, index: number): readonly [number, number] {
  const x = other.position[0] - self.position[0]
  const y = other.position[1] - self.position[1]
  const length = Math.hypot(x, y)
  if (length > 0.001) return [x / length, y / length]
  // The golden angle: no two of them on one line.
  return [Math.cos(index * 2.4), Math.sin(index * 2.4)]
}

function drawRing(canvas: Canvas, { middleX, middleY, radius }: { middleX: number; middleY: number; radius: number }, look: Look): void {
  const steps = Math.ceil(radius * 16)
  for (let step = 0; step < steps; step++) {
    const angle = (step / steps) * 2 * Math.PI
    canvas.draw(Math.round(middleX + Math.cos(angle) * radius * ASPECT), Math.round(middleY + Math.sin(angle) * radius), '·', look)
  }
}

/** At its place or, where another mark stands already, as near to it as there is room in the row. */
function put(canvas: Canvas, column: number, row: number, mark: string, look: Look): void {
  const taken = marks.get(canvas) ?? new Set<string>()
  marks.set(canvas, taken)
  const y = Math.min(canvas.rows - 1, Math.max(0, row))
  for (let step = 0; step < canvas.columns; step++) {
    const x = column + (step % 2 === 0 ? step / 2 : -(step + 1) / 2)
    if (x < 0 || x >= canvas.columns || taken.has(`${x} ${y}`)) continue
    taken.add(`${x} ${y}`)
    return canvas.draw(x, y, mark, look)
  }
}

/** Whether no mark stands where a text is to go. */
function hasRoom(canvas: Canvas, column: number, row: number, length: number): boolean {
  const taken = marks.get(canvas)
  return row < canvas.rows && Array.from({ length }, (_, at) => `${column + at} ${row}`).every((place) => taken?.has(place) !== true)
}

/** The places of a map that marks have taken, as `column row`. */
const marks = new WeakMap<Canvas, Set<string>>()
