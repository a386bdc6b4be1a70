import { DhtNode, dhtDiscovery } from '../../../backends/mesh/discovery/index.ts'
import { encodeRecord, generateIdentity, newRecord, seedOf, systemClock, type Discovery, type Identity } from '../../../core/index.ts'
import { startDhtTestnet } from '../../helpers/dht-testnet.ts'

/** What one attempt took, in milliseconds; undefined when it failed. */
export type Attempt = number | undefined

/** What was measured in one state of the network. */
export interface Measured {
  readonly state: string
  readonly join: readonly Attempt[]
  readonly registration: readonly Attempt[]
  readonly discovery: readonly Attempt[]
}

/** Nodes that publish and look up; each of them does it many times. */
const USERS = 5
/** What has not succeeded by then has failed: the longest that the customer accepts for a look-up, and for joining. */
const DISCOVERY_LIMIT_MS = 2_000
const REGISTRATION_LIMIT_MS = 5_000
const JOIN_LIMIT_MS = 10_000

interface User extends Discovery {
  readonly node: DhtNode
}

/** Measures a network of `size` nodes on loopback: stable, and right after a fifth of its nodes were killed. */
export async function measureDiscovery(size: number, repeats: number, report: (line: string) => void): Promise<readonly Measured[]> {
  const net = await startDhtTestnet(size)
  const users: User[] = []
  try {
    report(`${size} nodes are up`)
    const joined = async (): Promise<Attempt> => {
      const user = userOf(net.bootstrap)
      users.push(user)
      return timed(async () => (await user.node.ready(AbortSignal.timeout(JOIN_LIMIT_MS))) !== undefined)
    }
    const first = await inTurn(2 * USERS, joined)
    const old = users.slice()
    const stable = await measureState('stable', old, repeats, first)
    report('stable: measured')
    const killed = await net.kill(0.2)
    report(`${killed} nodes killed`)
    // By those who were there before, whose tables are full of dead nodes; new ones join afterwards.
    const after = await measureState('20 % killed', old, repeats, [])
    return [stable, { ...after, join: await inTurn(USERS, joined) }]
  } finally {
    await Promise.all(users.map(async (user) => user.close().then(() => user.node.close())))
    await net.close()
  }
}

async function measureState(state: string, users: readonly User[], repeats: number, join: readonly Attempt[]): Promise<Measured> {
  const registration: Attempt[] = []
  const discovery: Attempt[] = []
  for (let round = 0; round < repeats; round++) {
    const publisher = users[round % USERS] as User
    const visitor = users[USERS + (round % USERS)] as User
    const identity = generateIdentity()
    registration.push(await register(publisher, identity))
    discovery.push(await find(visitor, identity.publicKey))
  }
  return { state, join, registration, discovery }
}

function userOf(bootstrap: readonly string[]): User {
  const node = new DhtNode({ bootstrap })
  return Object.assign(dhtDiscovery({ node }), { node })
}

async function register(publisher: Discovery, identity: Identity): Promise<Attempt> {
  const record = newRecord({ serviceKey: identity.publicKey, endpoints: ['/ip4/127.0.0.1/tcp/4001'] }, { now: Date.now() })
  return timed(
    () =>
      new Promise<boolean>((resolve) => {
        const late = systemClock.after(REGISTRATION_LIMIT_MS, () => resolve(false))
        publisher.announce(
          {
            serviceKey: identity.publicKey,
            seed: seedOf(identity),
            record: encodeRecord(record, identity),
            sequence: record.sequence,
            port: 4001,
            onStream: (stream) => stream.destroy(),
          },
          (state) => {
            late()
            resolve(state === 'announced')
          },
        )
      }),
  )
}

async function find(visitor: Discovery, serviceKey: Uint8Array): Promise<Attempt> {
  return timed(async () => {
    for await (const { record } of visitor.find(serviceKey, { signal: AbortSignal.timeout(DISCOVERY_LIMIT_MS) })) {
      if (record !== undefined) return true
    }
    return false
  })
}

async function timed(attempt: () => Promise<boolean>): Promise<Attempt> {
  const start = performance.now()
  return (await attempt()) ? performance.now() - start : undefined
}

async function inTurn<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  while (results.length < count) results.push(await work())
  return results
}
