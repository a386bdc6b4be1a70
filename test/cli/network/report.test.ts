import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from '../../../cli/network/redact.ts'
import { reportText } from '../../../cli/network/report.ts'
import { formatBeamAddress, formatVisitorKey, generateIdentity } from '../../../core/index.ts'
import { nodeId, peer, period, snapshot } from './fixtures.ts'

const around = { home: '/home/alice', user: 'alice', host: 'attic' }
const at = new Date(1_800_000_000_000)

describe('a text for others', () => {
  it('loses what tells who, where or with whom', () => {
    const { publicKey } = generateIdentity()
    const private_ = [
      formatBeamAddress(publicKey),
      formatBeamAddress(publicKey).slice('beam://'.length),
      formatVisitorKey(publicKey),
      Buffer.from(publicKey).toString('hex'),
      Buffer.from(publicKey).toString('base64'),
      nodeId(4),
      '192.168.1.17',
      '2001:db8::17',
      '[fe80::1%eth0]:4001',
      '::1',
      'alice@example.org',
      'db.internal.example.com',
      `${'a'.repeat(56)}.onion`,
      'hxxj3vdfq.b32.i2p',
      '/home/alice/web/config.yaml',
      'C:\\Users\\alice\\web',
      '~/secrets',
      'attic',
      'Alice',
      'http://10.0.0.7:3000/admin?token=x',
    ]
    for (const one of private_) {
      const left = redact(`it broke at ${one} today`, around)
      expect(left).not.toContain(one)
      expect(left).toMatch(/^it broke at .*\[[a-z]+\].* today$/)
    }
    expect(redact('password: hunter2 and token=abc', around)).toBe('password: [secret] and token: [secret]')
  })

  it('keeps what happened', () => {
    for (const text of [
      'connection drops after 10 minutes',
      'peers: 4, latency 45.2 ms',
      'version 0.1.0 on Linux at 12:30',
      'it is 50 % slower; why?',
    ])
      expect(redact(text, around)).toBe(text)
  })

  it('never keeps an IP address or a key, wherever it stands', () => {
    const before = fc.constantFrom('', ' ', '(', 'at ', '"', '=', ',', 'x: ')
    fc.assert(
      fc.property(before, fc.ipV4(), fc.ipV6(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (lead, four, six, key) => {
        const hex = Buffer.from(key).toString('hex')
        const left = redact(`${lead}${four} ${lead}${hex} ${lead}${six} end`, { home: '', user: '', host: '' })
        expect(left).not.toContain(four)
        expect(left).not.toContain(hex)
        expect(left.split(/[\s(",=]+/)).not.toContain(six)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a report', () => {
  const node = snapshot(Array.from({ length: 5 }, (_, index) => peer(index + 1, { source: 'dht', participation: 'routing' })))
  const text = reportText(
    {
      version: '0.1.0',
      nodes: [node],
      period: period(),
      settings: { 'p2p.maxPeers': 50 },
      failures: ['history: EACCES /home/alice/.local/state/beam/network-history.sqlite'],
      issue: 'connection drops at 192.0.2.77',
      at,
    },
    around,
  )

  it('holds the figures and the words of the user', () => {
    for (const part of [
      'connection drops at [ip]',
      'peers: 5',
      'p2p.maxPeers: 50',
      '| 5 | us |',
      'discovery by dht: ready, 40 nodes',
      'samples: 30',
    ])
      expect(text).toContain(part)
  })

  it('holds no key, address, name or place of anybody', () => {
    const ids = [nodeId(0), ...node.peers.map(({ id }) => id)]
    for (const id of ids) expect(text).not.toContain(id.slice(0, 10))
    expect(text).not.toMatch(/192\.|198\.51|203\.0|bootstrap\.example|alice|attic|\/home/)
    expect(text).not.toMatch(/[a-z2-7]{40}/)
  })

  it('takes no word of others as its own', () => {
    const liar = snapshot([peer(1, { participation: '10.9.8.7 is where alice lives' })], {
      discovery: [{ name: 'http://10.9.8.7', state: 'ready', detail: '10.9.8.7' }],
    })
    expect(reportText({ version: '0.1.0', nodes: [liar], failures: [], at }, around)).not.toMatch(/10\.9\.8\.7|alice/)
  })
})
