/** Nodes, relays and services of the tests of relays, all on loopback. */
import {
  dialThroughRelays,
  encodeRequest,
  generateIdentity,
  MeshNode,
  proveService,
  relayLimits,
  RelayService,
  RESERVE_TOPIC,
  silentLogger,
  StreamRouter,
  systemClock,
  type Identity,
  type RelayLimits,
} from '../../../../core/index.ts'
import { expect } from 'vitest'
import type { TopicHandler } from '../../../../core/mesh/node/topics.ts'
import { dialLink, LinkListener, type Link, type LinkStream } from '../../../../core/link/index.ts'

/** What the test that runs has opened: to be closed after it, last first. */
export const open: Array<() => unknown> = []

export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close()
}

export interface Node {
  readonly identity: Identity
  readonly node: MeshNode
  readonly router: StreamRouter
  readonly key: Uint8Array
  readonly contact: { readonly host: string; readonly port: number }
  readonly relay?: RelayService
}

/**
 * A node, which relays when it has limits.
 * @param answers - what it answers to topics in place of its own half
 */
export async function nodeOf(limits?: Partial<RelayLimits>, answers: Readonly<Record<string, TopicHandler>> = {}): Promise<Node> {
  const identity = generateIdentity()
  const node = new MeshNode({ identity, clock: systemClock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
  open.push(() => node[Symbol.asyncDispose]())
  const serve = node.serve.bind(node)
  node.serve = (topic, handler) => serve(topic, answers[topic] ?? handler)
  const { port = 0 } = (await node.listen()) ?? {}
  const router = new StreamRouter(node)
  const made = { identity, node, router, key: identity.publicKey, contact: { host: '127.0.0.1', port } }
  if (limits === undefined) return made
  const usual = relayLimits('routing') as RelayLimits
  const relay = new RelayService({
    node,
    nodeKey: identity.publicKey,
    limits: { ...usual, ...limits },
    clock: systemClock,
    logger: silentLogger,
  })
  open.push(() => relay[Symbol.dispose]())
  router.relay = relay
  return { ...made, relay }
}

/** A service behind a node, which nobody can dial: its listener takes only what the node hands it. */
export function serviceAt({ router }: Node, handle: (stream: LinkStream) => void): Identity {
  const identity = generateIdentity()
  const listener = new LinkListener({ identity, logger: silentLogger, judge: () => undefined, onStream: (stream) => handle(stream) })
  open.push(() => listener[Symbol.asyncDispose]())
  router.answerFor(identity.publicKey, (carrier) => listener.accept(carrier))
  return identity
}

export async function reserve(node: Node, relay: Node, services: readonly Identity[]): Promise<Buffer> {
  const peer = await node.node.connect(relay.contact, relay.key)
  await expect.poll(() => relay.node.peer(node.node.id)).toBeDefined()
  const until = Date.now() + 60_000
  return peer.ask(
    RESERVE_TOPIC,
    encodeRequest(services.map((service) => proveService(service, { relay: relay.key, node: node.key, until }))),
  )
}

export async function visit(hops: readonly Node[], service: Identity): Promise<LinkStream> {
  return (await visitLink(hops, service)).openStream('service')
}

/** A link to a service, through relays. */
export async function visitLink(hops: readonly Node[], service: Identity): Promise<Link> {
  const path = hops.map(({ key, contact }, index) => (index === 0 ? { key, contact } : { key }))
  const { carrier, side } = await dialThroughRelays(path, { service: service.publicKey }, { logger: silentLogger })
  const { link } = await dialLink({ to: carrier, side, expectedKey: service.publicKey, identity: generateIdentity(), logger: silentLogger })
  open.push(() => link.close())
  return link
}
