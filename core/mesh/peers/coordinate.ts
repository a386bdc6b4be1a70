/**
 * Network coordinates (Vivaldi: Dabek, Cox, Kaashoek, Morris, SIGCOMM 2004): every node has a place in a space of three dimensions and a
 * height, in milliseconds, such that the distance of two nodes tells their round trip without anybody having measured it. The height is
 * the way to the node's own network, which every path to it has.
 */

/** A place: x, y, z, height (all in milliseconds) and the error, from 0 (sure) to 1 (a guess). */
export interface Coordinate {
  readonly position: readonly [number, number, number]
  readonly height: number
  readonly error: number
}

/** How far one measurement may move a node, and how fast its error follows (the paper's c_c and c_e). */
const MOVE = 0.25
const LEARN = 0.25
/** Nobody is believed to be surer of its place than this. */
const SUREST = 0.05
/** A node is at least this far from its network: two nodes in one place push each other apart by it. */
const MIN_HEIGHT_MS = 0.1
/** Round trips beyond a minute are no distances, and places farther out would be of no use. */
const MAX_MS = 60_000

/** Where a node begins: nowhere, and unsure of it. */
export const UNKNOWN: Coordinate = { position: [0, 0, 0], height: MIN_HEIGHT_MS, error: 1 }

/** The round trip between two places, in milliseconds. */
export function distanceMs(a: Coordinate, b: Coordinate): number {
  return lengthOf(minus(a.position, b.position)) + a.height + b.height
}

/**
 * Where a node is after one measurement. A far end that lies about its place moves it by at most a quarter of the round trip, and less the
 * surer the node is of its own and the less sure the far end says it is.
 */
export function moved(own: Coordinate, remote: Coordinate, roundTripMs: number, random: () => number): Coordinate {
  if (!(roundTripMs > 0) || roundTripMs > MAX_MS) return own
  const expected = distanceMs(own, remote)
  const weight = own.error / (own.error + Math.max(remote.error, SUREST))
  const wrong = Math.min(1, Math.abs(expected - roundTripMs) / roundTripMs)
  const error = clamp(wrong * LEARN * weight + own.error * (1 - LEARN * weight), 0.01, 1)
  // What was measured is true, what the far end says of its place may not be: so nothing moves farther than what was measured.
  const difference = Math.max(-roundTripMs, roundTripMs - expected)
  const force = MOVE * weight * difference
  const away = minus(own.position, remote.position)
  const length = lengthOf(away)
  // Two nodes in one place part in a random direction.
  const direction = length > 0.001 ? scale(away, 1 / length) : unit(random)
  const position = plus(own.position, scale(direction, force)).map((value) => clamp(value, -MAX_MS, MAX_MS))
  // Near nodes have little more than heights between them: without a limit the height would take steps of many times the force.
  const share = length > 0.001 ? Math.min(1, (own.height + remote.height) / length) : 1
  const height = clamp(own.height + force * share, MIN_HEIGHT_MS, MAX_MS)
  return { position: position as [number, number, number], height, error }
}

/** As gossip and node information carry it. */
export function toNumbers({ position, height, error }: Coordinate): number[] {
  return [...position, height, error]
}

/** The place that a node says it has; undefined when these are no numbers of one. */
export function fromNumbers(numbers: readonly number[] | undefined): Coordinate | undefined {
  if (numbers?.length !== 5) return undefined
  const [x = 0, y = 0, z = 0, height = 0, error = 1] = numbers
  if (numbers.some((value) => !Number.isFinite(value) || Math.abs(value) > MAX_MS) || height < 0 || error < 0 || error > 1) return undefined
  return { position: [x, y, z], height, error }
}

function unit(random: () => number): [number, number, number] {
  const vector: [number, number, number] = [random() - 0.5, random() - 0.5, random() - 0.5]
  const length = lengthOf(vector)
  return length > 0.001 ? scale(vector, 1 / length) : [1, 0, 0]
}

type Vector = readonly [number, number, number]
const minus = (a: Vector, b: Vector): [number, number, number] => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const plus = (a: Vector, b: Vector): [number, number, number] => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
const scale = (a: Vector, by: number): [number, number, number] => [a[0] * by, a[1] * by, a[2] * by]
const lengthOf = (a: Vector): number => Math.hypot(a[0], a[1], a[2])
const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value))
