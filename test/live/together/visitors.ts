import { expect } from 'vitest'
import type { BeamProcess } from '../../cli/beam-process.ts'
import type { Strategy } from '../../../plugins/index.ts'
import type { Request } from './load.ts'

/** Paths build circuits and leases anew after a fault, on a machine that is busy otherwise. */
const REPAIR_MS = 120_000

/** A published tunnel of a `beam up`. */
export interface Declared {
  /** On the mesh, with host and port. */
  readonly direct: string
  /** On the other networks. */
  readonly others: readonly string[]
}

/** What a tunnel of `beam up` can be reached by, when all its networks carry it. */
export async function declared(publisher: BeamProcess, name: string, networks: readonly string[]): Promise<Declared> {
  const tunnelOf = (): Ready | undefined =>
    publisher.events.flatMap(({ event, tunnel }) => (event === 'ready' ? [tunnel as Ready] : [])).find((one) => one.name === name)
  await expect.poll(tunnelOf, { timeout: REPAIR_MS }).toBeDefined()
  const { id, endpoints } = tunnelOf() as Ready
  const up = (): string[] => [
    ...endpoints.filter(({ state }) => state === 'active').map(({ backend }) => backend),
    ...publisher.events.flatMap((line) => (line.event === 'up' && line['tunnel'] === id ? [String(line['backend'])] : [])),
  ]
  await expect.poll(() => networks.filter((network) => !up().includes(network)), { timeout: REPAIR_MS }).toEqual([])
  const addresses = publisher.events.filter(({ event, tunnel }) => event === 'address' && tunnel === id)
  const others = addresses.flatMap(({ backend, address }) => (backend === 'mesh' ? [] : [String(address)]))
  return { direct: endpoints.find(({ direct }) => direct !== undefined)?.direct?.[0] ?? '', others }
}

/** Waits until a visitor has all these paths. */
export async function allUp(visitor: BeamProcess, labels: readonly string[]): Promise<void> {
  const wanted = Object.fromEntries(labels.map((label) => [label, 'up']))
  await expect.poll(() => statesOf(visitor), { timeout: REPAIR_MS }).toMatchObject(wanted)
}

/** How many requests began within so long after a fault, the longest of them, and the failures. */
export function failover(
  requests: readonly Request[],
  at: number,
  withinMs: number,
): { asked: number; slowestMs: number; failed: string[] } {
  const since = requests.filter(({ begunAt }) => begunAt >= at && begunAt < at + withinMs)
  return {
    asked: since.length,
    slowestMs: Math.round(Math.max(0, ...since.map(({ ms }) => ms))),
    failed: since.flatMap(({ begunAt, error }) => (error === undefined ? [] : [`${error}, begun ${Math.round(begunAt - at)} ms after it`])),
  }
}

/** Strategies of visitors that this is about. */
export type VisitorStrategy = Exclude<Strategy, 'priority'>

interface Ready {
  readonly id: string
  readonly name: string
  readonly endpoints: ReadonlyArray<{ readonly backend: string; readonly state: string; readonly direct?: readonly string[] }>
}

function statesOf(visitor: BeamProcess): Record<string, string> {
  const states: Record<string, string> = {}
  for (const { event, path, paths } of visitor.events) {
    for (const { label, state } of event === 'listening' ? (paths as Told[]) : event === 'path' ? [path as Told] : []) states[label] = state
  }
  return states
}

interface Told {
  readonly label: string
  readonly state: string
}
