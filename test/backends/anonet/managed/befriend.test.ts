import { describe, expect, it } from 'vitest'
import { accept, circleIdentity, invite, revoke, type OwnSide } from '../../../../backends/anonet/managed/befriend.ts'
import type { Circle } from '../../../../backends/anonet/managed/friend.ts'
import { decodeLetter } from '../../../../backends/anonet/managed/invite.ts'
import { birdOf, friendAddress, insideLink, interfaceOf } from '../../../../backends/anonet/managed/layout.ts'
import { planOf } from '../../../../backends/anonet/managed/plan.ts'
import { parsePrefix, prefixText, type Prefix } from '../../../../backends/anonet/mesh-address.ts'
import { generateIdentity, seedOf } from '../../../../core/index.ts'

const NOW = Date.UTC(2030, 0, 1)
const RANGE = parsePrefix('21.0.0.0/8') as Prefix

/** A person with a circle that grows. */
class Person {
  circle: Circle = { seed: seedOf(generateIdentity()).toString('base64url'), invites: [], friends: [] }
  readonly name: string
  now = NOW
  busyPorts: ReadonlySet<number> = new Set()
  prefix: Prefix | undefined

  constructor(name: string) {
    this.name = name
  }

  get own(): OwnSide {
    const plan = planOf(circleIdentity(this.circle).publicKey, RANGE)
    return {
      plan: { ...plan, prefix: this.prefix ?? plan.prefix },
      range: RANGE,
      firstPort: 51_820,
      busyPorts: this.busyPorts,
      hosts: ['203.0.113.7'],
      name: this.name,
      nowMs: this.now,
    }
  }

  invite(): string {
    const { circle, text } = invite(this.circle, this.own)
    this.circle = circle
    return text
  }

  accept(text: string, options: { readonly name?: string; readonly transit: boolean } = { transit: true }): string {
    const { circle, answer } = accept(this.circle, this.own, decodeLetter(text, this.now), options)
    this.circle = circle
    return answer ?? ''
  }
}

function friends(): { readonly alice: Person; readonly bob: Person } {
  const [alice, bob] = [new Person('alice'), new Person('bob')]
  alice.accept(bob.accept(alice.invite()))
  return { alice, bob }
}

describe('two people', () => {
  it('become friends by one text each way, and their ends of the link fit', () => {
    const { alice, bob } = friends()
    const [his, hers] = [alice.circle.friends[0]!, bob.circle.friends[0]!]
    expect([his.name, hers.name]).toEqual(['bob', 'alice'])
    expect(alice.circle.invites).toEqual([])
    expect(his.slot).toBe(hers.slot)
    const [a, b] = [insideLink(his), insideLink(hers)]
    expect(a.ownAddress).toBe(friendAddress(hers))
    expect(b.ownAddress).toBe(friendAddress(his))
    expect(a.interface).not.toBe(b.interface)
    expect(interfaceOf(his).length).toBeLessThanOrEqual(15)
    expect(a.endpoints).toEqual([{ host: '203.0.113.7', port: hers.listenPort }])
    expect(prefixText(his.prefix)).toBe(prefixText(bob.own.plan.prefix))
  })

  it('keep their private keys: neither is in a text or in BIRD’s configuration', () => {
    const [alice, bob] = [new Person('alice'), new Person('bob')]
    const invitation = alice.invite()
    const answer = bob.accept(invitation)
    alice.accept(answer)
    const bird = birdOf(alice.circle.friends, { plan: alice.own.plan, range: RANGE, timing: { bfdMs: 100, holdSeconds: 9 } })
    for (const secret of [alice.circle.seed, bob.circle.seed, alice.circle.friends[0]!.privateKey, bob.circle.friends[0]!.privateKey]) {
      const raw = Buffer.from(secret, 'base64url')
      for (const letter of [invitation, answer])
        expect(Buffer.from(letter.slice('anonet-invite-'.length), 'base64url').includes(raw)).toBe(false)
      expect(bird).not.toContain(secret)
    }
  })

  it('get the answer again when the first one got lost', () => {
    const [alice, bob] = [new Person('alice'), new Person('bob')]
    const invitation = alice.invite()
    bob.accept(invitation)
    const again = bob.accept(invitation)
    expect(bob.circle.friends).toHaveLength(1)
    alice.accept(again)
    expect(alice.circle.friends).toHaveLength(1)
  })

  it('have ports of their own for each friend, none of which others have', () => {
    const alice = new Person('alice')
    alice.busyPorts = new Set([51_820, 51_822])
    alice.invite()
    alice.invite()
    expect(alice.circle.invites.map(({ listenPort }) => listenPort)).toEqual([51_821, 51_823])
  })
})

describe('what does not fit is refused', () => {
  it('one’s own invitation, an answer that was taken already, an answer for somebody else', () => {
    const [alice, bob, eve] = [new Person('alice'), new Person('bob'), new Person('eve')]
    const invitation = alice.invite()
    expect(() => alice.accept(invitation)).toThrow(/your own invitation/)
    const answer = bob.accept(invitation)
    expect(() => eve.accept(answer)).toThrow(/no open invitation/)
    alice.accept(answer)
    expect(() => alice.accept(answer)).toThrow(/friends already/)
    // The invitation was for one friend.
    const late = eve.accept(invitation)
    expect(() => alice.accept(late)).toThrow(/no open invitation/)
  })

  it('an answer to an invitation that was revoked or has expired', () => {
    const [alice, bob] = [new Person('alice'), new Person('bob')]
    const answer = bob.accept(alice.invite())
    const open = alice.circle.invites[0]!
    const without = revoke(alice.circle, open.link.slice(0, 8)).circle
    expect(() => accept(without, alice.own, decodeLetter(answer, NOW), { transit: true })).toThrow(/no open invitation/)
    alice.now += 8 * 24 * 3_600_000
    expect(() => alice.accept(answer)).toThrow(/expired/)
  })

  it('a prefix that one has oneself, that another friend has, or that is outside of the mesh', () => {
    const { alice, bob } = friends()
    const carol = new Person('carol')
    for (const [prefix, message] of [
      [alice.own.plan.prefix, /same prefix/],
      [bob.own.plan.prefix, /are those of bob/],
      [parsePrefix('10.0.0.0/24') as Prefix, /outside of the mesh/],
      [parsePrefix('21.255.0.0/24') as Prefix, /outside of the mesh/],
    ] as const) {
      carol.prefix = prefix
      const text = carol.invite()
      expect(() => alice.accept(text)).toThrow(message)
    }
  })

  it('a name that a friend has already, and nobody’s name', () => {
    const { alice } = friends()
    const other = new Person('bob')
    const text = other.invite()
    expect(() => alice.accept(text)).toThrow(/called bob already/)
    alice.accept(text, { name: 'bob 2', transit: false })
    expect(alice.circle.friends.map(({ name, transit }) => [name, transit])).toEqual([
      ['bob', true],
      ['bob 2', false],
    ])
    expect(() => revoke(alice.circle, 'nobody')).toThrow(/no friend and no invitation/)
    expect(revoke(alice.circle, 'bob').circle.friends.map(({ name }) => name)).toEqual(['bob 2'])
  })

  it('more friends than there is room for', () => {
    const alice = new Person('alice')
    for (let count = 0; count < 64; count++) alice.invite()
    expect(() => alice.invite()).toThrow(/room for 64/)
  })
})

it('a plan is the same for a key, in the range, and none of the links', () => {
  for (let count = 0; count < 200; count++) {
    const { publicKey } = generateIdentity()
    const plan = planOf(publicKey, RANGE)
    expect(planOf(publicKey, RANGE)).toEqual(plan)
    expect(prefixText(plan.prefix)).toMatch(/^21\.(?!255\.)\d+\.\d+\.0\/24$/)
    expect(plan.asn).toBeGreaterThanOrEqual(4_200_000_000)
  }
})
