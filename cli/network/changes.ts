import type { Snapshot } from './ask.ts'
import { quantile } from './figures.ts'

/** What happened between two looks at the nodes, or how they are; one line of `--json`. */
export type Change =
  | { readonly at: number; readonly event: 'node-up' | 'node-down'; readonly pid: number }
  | { readonly at: number; readonly event: 'peer-up'; readonly pid: number; readonly peer: string; readonly latencyMs?: number }
  | { readonly at: number; readonly event: 'peer-down'; readonly pid: number; readonly peer: string }
  | {
      readonly at: number
      readonly event: 'figures'
      readonly pid: number
      readonly peers: number
      readonly latencyMs?: number
      readonly streams?: number
      readonly bytesPerSecond?: number
    }

/** A look at the nodes. */
export interface Look {
  readonly at: number
  readonly nodes: readonly Snapshot[]
}

/** Peers and nodes that came and went between two looks. */
export function changesBetween(before: Look, after: Look): Change[] {
  const { at } = after
  const old = new Map(before.nodes.map((node) => [keyOf(node), node]))
  const now = new Map(after.nodes.map((node) => [keyOf(node), node]))
  const gone = before.nodes.filter((node) => !now.has(keyOf(node))).map((node): Change => ({ at, event: 'node-down', pid: node.owner.pid }))
  return [
    ...gone,
    ...after.nodes.flatMap((node): Change[] => {
      const known = old.get(keyOf(node))
      const { pid } = node.owner
      const had = new Map(known?.peers.map((peer) => [peer.id, peer]))
      const has = new Set(node.peers.map(({ id }) => id))
      // A link that is younger than at the look before is another one: it went and came back meanwhile.
      const again = node.peers.filter(({ id, ageMs }) => ageMs < (had.get(id)?.ageMs ?? 0))
      const lost = [...[...had.keys()].filter((id) => !has.has(id)), ...again.map(({ id }) => id)]
      const won = [...node.peers.filter(({ id }) => !had.has(id)), ...again]
      return [
        ...(known === undefined ? [{ at, event: 'node-up', pid } as const] : []),
        ...lost.map((peer) => ({ at, event: 'peer-down', pid, peer }) as const),
        ...won.map(
          ({ id, latencyMs }) => ({ at, event: 'peer-up', pid, peer: id, ...(latencyMs === undefined ? {} : { latencyMs }) }) as const,
        ),
      ]
    }),
  ]
}

/** How each node is; rates come from the look before. */
export function figuresOf(after: Look, before?: Look): Change[] {
  return after.nodes.map((node) => {
    const latencyMs = quantile(
      node.peers.flatMap((peer) => peer.latencyMs ?? []),
      0.5,
    )
    const bytesPerSecond = rateOf(node, after.at, before)
    const streams = node.status.relayed?.openStreams
    return {
      at: after.at,
      event: 'figures',
      pid: node.owner.pid,
      peers: node.peers.length,
      ...(latencyMs === undefined ? {} : { latencyMs }),
      ...(streams === undefined ? {} : { streams }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    }
  })
}

/** Bytes per second that a node carries for others; undefined with the first look, and where it carries nothing. */
export function rateOf(node: Snapshot, at: number, before: Look | undefined): number | undefined {
  const old = before?.nodes.find((one) => keyOf(one) === keyOf(node))
  const [now, then] = [node.status.relayed?.bytes, old?.status.relayed?.bytes]
  if (before === undefined || now === undefined || then === undefined || at <= before.at || now < then) return undefined
  return ((now - then) * 1000) / (at - before.at)
}

/** A node that was restarted between two looks is another one: it may keep its identifier. */
const keyOf = ({ owner, status }: Snapshot): string => `${owner.pid} ${status.id ?? ''} ${status.startedAt ?? ''}`
