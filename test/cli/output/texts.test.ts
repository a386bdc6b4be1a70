import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { wantsColour } from '../../../cli/output/colours.ts'
import { connectText, describePath } from '../../../cli/output/connect-text.ts'
import { field, wrap } from '../../../cli/output/layout.ts'
import { ProgressNews } from '../../../cli/output/progress-news.ts'
import { PublishText } from '../../../cli/output/publish-text.ts'
import { holdFailures } from '../../../cli/output/publish-view.ts'
import type { PublishEvent, TunnelSnapshot } from '../../../core/tunnels/events.ts'

const plain = pc.createColors(false)
const address = `beam://${'a'.repeat(56)}`
const tunnel: TunnelSnapshot = {
  id: 't1',
  host: 'localhost',
  port: 3000,
  endpoints: [
    { backend: 'mesh', address, state: 'active', reveals: ['Whoever holds the address can learn the IP address of this machine.'] },
  ],
  access: 'Anybody who has the address can reach it, and an address is no secret.',
  service: 'down',
}
const text = (options: { quiet?: boolean; connectFlags?: string[] } = {}): PublishText =>
  new PublishText({
    paint: plain,
    columns: 80,
    noteColumns: 80,
    connectFlags: () => options.connectFlags ?? [],
    quiet: options.quiet ?? false,
  })

describe('PublishText', () => {
  it('says all that a publisher must know, in 80 columns', () => {
    const shown = text().text({ event: 'ready', tunnel })
    expect(shown).toContain(`\nnpx beam connect ${address}\n`)
    expect(shown).toContain('Whoever holds the address can learn')
    expect(shown).toContain('Anybody who has the address')
    expect(shown).toContain('nothing listens on localhost:3000 yet')
    for (const line of shown.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('gives the visitor the flags that the publisher asks for', () => {
    const shown = text({ connectFlags: ['--identify', '--secret -'] }).text({ event: 'ready', tunnel })
    expect(shown).toContain(`npx beam connect ${address} --identify --secret -\n`)
  })

  it('names each network when there are several', () => {
    const endpoints = [...tunnel.endpoints, { backend: 'tor', address: 'http://x.onion', state: 'announcing', reveals: [] } as const]
    const shown = text().text({ event: 'ready', tunnel: { ...tunnel, endpoints } })
    expect(shown).toContain('Reach it over mesh')
    expect(shown).toContain('Reach it over tor')
    expect(shown).toContain('tor, listening, not announced yet')
  })

  it('shows an address that comes after the tunnel was ready, and how to use all that are up', () => {
    const running = text({ connectFlags: ['--secret -'] })
    running.text({ event: 'ready', tunnel })
    const up = (backend: string, address: string) =>
      running.text({ event: 'up', tunnel: tunnel.id, what: 'endpoint', backend, address, reason: `${backend} carries the tunnel` })
    const first = tunnel.endpoints[0]?.address ?? ''
    const shown = up('second', 'second://there')
    expect(shown).toContain('second carries the tunnel\nsecond://there\n')
    expect(shown).toContain(`\nnpx beam connect ${first} second://there --secret -\n`)
    running.text({ event: 'down', tunnel: tunnel.id, what: 'endpoint', backend: 'second', address: 'second://there', reason: 'gone' })
    expect(up('second', 'second://there')).toBe('  up  second: second carries the tunnel\n')
    const quiet = text({ quiet: true })
    quiet.text({ event: 'ready', tunnel })
    const event = { event: 'up', tunnel: tunnel.id, what: 'endpoint', backend: 'second', address: 'second://there', reason: '' } as const
    expect(quiet.text(event)).toBe('second://there\n')
  })

  it('prints the address, warnings and errors only when it is to be quiet', () => {
    const quiet = text({ quiet: true })
    expect(quiet.text({ event: 'ready', tunnel })).toBe(`${address}\n`)
    expect(quiet.text({ event: 'up', tunnel: 't1', what: 'service', reason: 'r' })).toBe('')
    expect(quiet.text({ event: 'progress', tunnel: 't1', backend: 'tor', phase: 'p', message: 'm' })).toBe('')
    expect(quiet.text({ event: 'warning', code: 'W', message: 'careful' })).toBe('Warning careful (W)\n')
  })

  it('tells progress in a few lines, however often it is reported', () => {
    const running = text()
    const lines = Array.from({ length: 101 }, (_, percent) =>
      running.text({ event: 'progress', tunnel: 't1', backend: 'tor', phase: 'bootstrap', percent, message: 'Bootstrapping' }),
    ).filter((line) => line !== '')
    expect(lines).toHaveLength(5)
    expect(lines[4]).toBe('tor: Bootstrapping (100%)\n')
  })

  it('says why progress stands still, once', () => {
    const running = text()
    const say = (message: string): string =>
      running.text({ event: 'progress', tunnel: 't1', backend: 'tor', phase: 'bootstrap', percent: 10, message })
    expect(say('Connecting')).toBe('tor: Connecting (10%)\n')
    expect(say('Connecting (the clock is wrong)')).toBe('tor: Connecting (the clock is wrong) (10%)\n')
    expect(say('Connecting (the clock is wrong)')).toBe('')
  })

  it('tells the address before the tunnel is ready when that takes long', () => {
    let now = 0
    const running = new PublishText({ paint: plain, columns: 80, noteColumns: 80, connectFlags: () => [], quiet: false, now: () => now })
    running.text({ event: 'address', tunnel: 't1', backend: 'tor', address: 'http://abc.onion' })
    running.text({ event: 'address', tunnel: 't2', backend: 'mesh', address })
    expect(running.earlyAddresses()).toBe('')
    running.text({ event: 'ready', tunnel: { ...tunnel, id: 't2' } })
    now = 1_500
    expect(running.earlyAddresses()).toBe('  The address, not reachable yet:\nhttp://abc.onion\n')
    expect(running.earlyAddresses()).toBe('')
  })

  it('tells which service goes up and down once there are several', () => {
    const running = text()
    running.text({ event: 'ready', tunnel })
    expect(running.text({ event: 'up', tunnel: 't1', what: 'service', reason: 'it answers' })).toBe('  up  localhost:3000: it answers\n')
    running.text({ event: 'ready', tunnel: { ...tunnel, id: 't2', port: 8080 } })
    expect(running.text({ event: 'down', tunnel: 't2', what: 'endpoint', backend: 'mesh', reason: '' })).toBe(
      '  localhost:8080  down  mesh\n',
    )
  })
})

describe('holdFailures', () => {
  const failure: PublishEvent = { event: 'warning', code: 'BEAM_ERR_BACKEND_UNAVAILABLE', message: 'tor is not running' }

  it('tells of a failed network once the tunnel goes on without it', () => {
    const seen: string[] = []
    const print = holdFailures(({ event }) => void seen.push(event))
    print(failure)
    expect(seen).toEqual([])
    print({ event: 'address', tunnel: 't1', backend: 'mesh', address })
    print({ event: 'warning', code: 'BEAM_WARN_LAN', message: 'open' })
    expect(seen).toEqual(['warning', 'address', 'warning'])
  })
})

describe('connectText', () => {
  it('says where the service is now and what that reveals', () => {
    const path = { backend: 'mesh', kind: 'direct', hops: 0, latencyMs: 1.234 }
    const event = {
      event: 'listening',
      host: '::1',
      port: 8080,
      address,
      path,
      reveals: ['The publisher can learn the IP address of this machine.'],
    } as const
    const shown = connectText(event, { paint: plain, columns: 80, noteColumns: 80, quiet: false, news: new ProgressNews() })
    expect(shown).toContain('[::1]:8080 is now the far service')
    expect(shown).toContain('mesh, direct, 1.2 ms')
    expect(shown).toContain('The publisher can learn')
    expect(connectText(event, { paint: plain, columns: 80, noteColumns: 80, quiet: true, news: new ProgressNews() })).toBe('[::1]:8080\n')
  })

  it('lists several paths with what was measured on them, and tells of changes', () => {
    const shared = { backend: 'tor', address: 'http://x.onion', score: 0.5 } as const
    const up = {
      ...shared,
      label: 'tor',
      state: 'up',
      kind: 'onion',
      latencyMs: 312.4,
      bytesPerSecond: 1_234_567,
      reliability: 0.9,
    } as const
    const down = { ...shared, label: 'mesh', backend: 'mesh', state: 'down' } as const
    const options = { paint: plain, columns: 80, noteColumns: 80, quiet: false, news: new ProgressNews() }
    const path = { backend: 'tor', kind: 'onion', hops: 6 }
    const listening = {
      event: 'listening',
      host: '127.0.0.1',
      port: 1,
      address,
      path,
      reveals: [],
      strategy: 'multipath',
      paths: [up, down],
    } as const
    const shown = connectText(listening, options)
    expect(shown).toContain('tor, onion, 312 ms, 1.2 MB/s, 90 % of attempts worked')
    expect(shown).toContain('mesh, out of reach')
    expect(shown).toContain('multipath')
    expect(connectText({ event: 'path', path: down, reason: 'the link ended' }, options)).toContain('mesh, out of reach: the link ended')
    const moved = connectText({ event: 'failover', from: 'mesh', to: 'tor', reason: 'mesh: the link ended' }, options)
    expect(moved).toContain('mesh → tor')
  })

  it('leaves out what was not measured', () => {
    expect(describePath({ backend: 'tor', kind: 'onion', hops: 6 })).toBe('tor, onion, 6 hops')
  })
})

describe('wantsColour', () => {
  it('respects terminals, NO_COLOR, TERM=dumb and FORCE_COLOR', () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true)
    expect(wantsColour({ isTTY: false }, {})).toBe(false)
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true)
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
    expect(wantsColour({}, { FORCE_COLOR: '1' })).toBe(true)
    expect(wantsColour({ isTTY: true }, { FORCE_COLOR: '0' })).toBe(false)
  })
})

describe('wrap and field', () => {
  it('break between words and never inside one', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('x'.repeat(20), 7)).toEqual(['x'.repeat(20)])
    expect(wrap('', 7)).toEqual([''])
    expect(field('Label', 'one two three', 20)).toBe('  Label     one two\n            three\n')
  })
})
