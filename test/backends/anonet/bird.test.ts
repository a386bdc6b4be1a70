import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { birdError, BirdReplies, type BirdReply } from '../../../backends/anonet/bird/reply.ts'
import { readBfdSessions, readConfigPath, readProtocols, readRoutes, readVersion } from '../../../backends/anonet/bird/tables.ts'

/** What BIRD 2.0.12 said, as it was heard. */
const SAID = {
  greeting: '0001 BIRD 2.0.12 ready.\n',
  protocols: `2002-Name       Proto      Table      State  Since         Info
1002-device1    Device     ---        up     08:38:54.432  
 kernel1    Kernel     master4    up     08:38:54.432  
 bfd1       BFD        ---        up     08:38:54.432  
 p_B        BGP        ---        up     08:38:55.314  Established   
 p_C        BGP        ---        start  2026-11-20 08:38:55  Active        Socket: Connection refused
0000 
`,
  routes: `1007-Table master4:
 21.2.0.0/24          unicast [p_B 08:38:55.374] * (100) [AS4242420002i]
 \tvia 21.255.1.2 on wqAB
                      unicast [p_D 08:38:55.374] (100) [AS4242420002i]
 \tvia 21.255.4.1 on wqAD
 21.1.0.0/24          blackhole [mine 08:38:54.432] * (200)
 21.4.0.0/24          unicast [p_D 08:38:55.374] ! (100) [AS4242420004i]
 \tvia 21.255.4.1 on wqAD
0000 
`,
  bfd: `1020-bfd1:
 IP address                Interface  State      Since         Interval  Timeout
 21.255.1.2                wqAB       Up         08:38:54.660    0.100    0.300
 21.255.4.1                wqAD       Down       08:38:54.660    0.300    0.000
0000 
`,
  check: '0002-Reading configuration from /etc/bird/bird.conf\n0020 Configuration OK\n',
  error: '9001 syntax error, unexpected CF_SYM_UNDEFINED\n',
  denied: '8007 Access denied\n',
}

function replyTo(text: string): BirdReply {
  const [reply, ...more] = new BirdReplies().push(text)
  expect(more).toEqual([])
  return reply as BirdReply
}

describe('replies of BIRD', () => {
  it('are the same however they arrive', () => {
    const all = Object.values(SAID).join('')
    const whole = new BirdReplies().push(all)
    expect(whole).toHaveLength(Object.keys(SAID).length)
    fc.assert(
      fc.property(fc.array(fc.nat({ max: all.length }), { maxLength: 20 }), (cuts) => {
        const replies = new BirdReplies()
        const edges = [0, ...cuts.toSorted((a, b) => a - b), all.length]
        expect(edges.slice(1).flatMap((edge, index) => replies.push(all.slice(edges[index], edge)))).toEqual(whole)
      }),
    )
  })

  it('any text is replies, or no BIRD', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('0', '1', '9', ' ', '-', '\n', '\t', 'a', '+') }), (text) => {
        try {
          for (const reply of new BirdReplies().push(text)) for (const read of [readProtocols, readRoutes, readBfdSessions]) read(reply)
        } catch (error) {
          expect((error as Error).message).toMatch(/not BIRD/)
        }
      }),
    )
    expect(() => new BirdReplies().push('SSH-2.0-OpenSSH_9.2\n')).toThrow(/not BIRD/)
    expect(() => new BirdReplies().push(' begins in the middle\n')).toThrow(/not BIRD/)
  })

  it('have errors in BIRD’s own words', () => {
    expect(birdError(replyTo(SAID.error))).toBe('syntax error, unexpected CF_SYM_UNDEFINED')
    expect(birdError(replyTo(SAID.denied))).toBe('Access denied')
    expect(birdError(replyTo(SAID.check))).toBeUndefined()
  })
})

describe('tables of BIRD', () => {
  it('protocols', () => {
    const protocols = readProtocols(replyTo(SAID.protocols))
    expect(protocols).toHaveLength(5)
    expect(protocols[3]).toEqual({ name: 'p_B', type: 'BGP', state: 'up', info: 'Established' })
    expect(protocols[4]).toMatchObject({ name: 'p_C', state: 'start', info: expect.stringContaining('Active') as string })
  })

  it('routes, with second choices and those that the kernel did not take', () => {
    expect(readRoutes(replyTo(SAID.routes))).toEqual([
      { prefix: '21.2.0.0/24', protocol: 'p_B', primary: true, originAs: 4242420002 },
      { prefix: '21.2.0.0/24', protocol: 'p_D', primary: false, originAs: 4242420002 },
      { prefix: '21.1.0.0/24', protocol: 'mine', primary: true },
      { prefix: '21.4.0.0/24', protocol: 'p_D', primary: true, originAs: 4242420004 },
    ])
  })

  it('BFD sessions', () => {
    expect(readBfdSessions(replyTo(SAID.bfd))).toEqual([
      { address: '21.255.1.2', interface: 'wqAB', state: 'Up', interval: 0.1, timeout: 0.3 },
      { address: '21.255.4.1', interface: 'wqAD', state: 'Down', interval: 0.3, timeout: 0 },
    ])
  })

  it('version and configuration file', () => {
    expect(readVersion(replyTo(SAID.greeting))).toBe('2.0.12')
    expect(readConfigPath(replyTo(SAID.check))).toBe('/etc/bird/bird.conf')
    expect(readVersion(replyTo(SAID.error))).toBeUndefined()
  })
})
