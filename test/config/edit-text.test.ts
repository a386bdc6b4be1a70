import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { editText } from '../../config/edit-text.ts'
import { parseKeyPath, valueAt } from '../../config/key-path.ts'

const FILE = `# my tunnels
backends:
  - { name: mesh,  enabled: true }   # at home
  - name: "tor"      # behind it
    priority: 2
    config: {control_port: 9051, 'tor_port': 9050}
tunnels:

  # the site
  - name: api-server
    port: 3000       # node
    backends: [ "tor", mesh ]  # a chain

p2p:   # nothing yet
routing:
    strategy: quality
`

const set = (path: string, value: unknown, text = FILE): string => editText(text, 'beam.config.yaml', { set: parseKeyPath(path), value })
const unset = (path: string, text = FILE): string => editText(text, 'beam.config.yaml', { unset: parseKeyPath(path) })

describe('set', () => {
  it.each([
    ['tunnels.api-server.port', 8080, '    port: 3000 ', '    port: 8080 '],
    ['tunnels[0].port', 8080, '    port: 3000 ', '    port: 8080 '],
    ['backends.mesh.enabled', false, 'enabled: true }   #', 'enabled: false }   #'],
    ['backends.tor.name', 'ator', '"tor"      #', '"ator"      #'],
    ['backends.tor.config.tor_port', 1, "'tor_port': 9050}", "'tor_port': 1}"],
    ['tunnels.api-server.backends[0]', 'nym', '[ "tor", mesh ]  #', '[ "nym", mesh ]  #'],
    ['tunnels.api-server.backends', ['a', 'b'], '[ "tor", mesh ]  #', '[a, b]  #'],
    ['backends.mesh.priority', 1, 'enabled: true }', 'enabled: true, priority: 1 }'],
    ['backends.tor.config.data_dir', '/a, b', '9050}', '9050, data_dir: "/a, b"}'],
    ['backends.tor.enabled', true, '9050}\n', '9050}\n    enabled: true\n'],
    ['tunnels.api-server.domain', 'a.local', '# a chain\n', '# a chain\n    domain: a.local\n'],
    ['p2p.maxPeers', 5, '# nothing yet\n', '# nothing yet\n  maxPeers: 5\n'],
    ['plugins', ['x'], 'quality\n', 'quality\nplugins: [x]\n'],
    ['tunnels.web.port', 80, '# a chain\n', '# a chain\n  - name: web\n    port: 80\n'],
    ['tunnels[1]', { name: 'web', port: 80 }, '# a chain\n', '# a chain\n  - name: web\n    port: 80\n'],
    ['routing.strategy', 'geographic', 'quality', 'geographic'],
    ['backends.tor.config.x.y', 1, '9050}', '9050, x: {y: 1}}'],
  ] as const)('%s changes nothing but the setting', (path, value, before, after) => {
    expect(set(path, value)).toBe(FILE.replace(before, after))
  })

  it('makes lists of named things and what lies around a setting', () => {
    expect(set('tunnels.web.access.secret', 'x', '')).toBe('tunnels:\n  - name: web\n    access:\n      secret: x\n')
    expect(set('p2p.maxPeers', 5, '# only this\n')).toBe('# only this\np2p:\n  maxPeers: 5\n')
    expect(set('p2p.maxPeers', 5, '# no line break')).toBe('# no line break\np2p:\n  maxPeers: 5\n')
    expect(set('p2p.maxPeers', 5, '{}')).toBe('{p2p: {maxPeers: 5}}')
  })

  it('keeps line breaks of Windows', () => {
    const text = FILE.replaceAll('\n', '\r\n')
    expect(set('p2p.maxPeers', 5, text)).toBe(text.replace('# nothing yet\r\n', '# nothing yet\r\n  maxPeers: 5\r\n'))
    expect(set('tunnels.web.port', 80, text)).toBe(text.replace('# a chain\r\n', '# a chain\r\n  - name: web\r\n    port: 80\r\n'))
  })

  it('writes texts so that they stay texts', () => {
    for (const value of ['yes', '1', 'null', 'a: b', '# x', '', ' x ', 'a\nb', '*x', "it's", '"']) {
      expect(valueAt(parse(set('backends.tor.config.x', value)), ['backends', 'tor', 'config', 'x'])).toBe(value)
      expect(valueAt(parse(set('tunnels.api-server.domain', value)), ['tunnels', 'api-server', 'domain'])).toBe(value)
    }
  })

  it('replaces a block text and an alias', () => {
    expect(parse(set('a', 'x', 'a: |\n  one\n  two\nb: 1 # b\n'))).toEqual({ a: 'x', b: 1 })
    expect(parse(set('b', 2, 'a: &a 1 # c\nb: *a\n'))).toEqual({ a: 1, b: 2 })
  })

  it('refuses what would change another setting too', () => {
    expect(() => set('a', 2, 'a: &a 1\nb: *a\n')).toThrow('beam.config.yaml is written in a way in which a cannot be changed by itself.')
    expect(() => set('b.x', 2, 'a: &a { x: 1 }\nb: *a\n')).toThrow('b is the alias *a: a change there would change another setting too.')
  })

  it.each([
    ['routing.strategy.x', 1, 'routing.strategy.x cannot be set: routing.strategy is a single value.'],
    ['tunnels[5].port', 1, 'tunnels[5].port cannot be set: the list has 1 entries.'],
    ['routing[0]', 1, 'routing[0] cannot be set: routing is a map.'],
    ['tunnels.api-server.backends.x', 1, 'tunnels.api-server.backends.x cannot be set: tunnels.api-server.backends is a list.'],
  ])('%s has no place', (path, value, message) => {
    expect(() => set(path, value)).toThrow(message)
  })
})

describe('unset', () => {
  it.each([
    ['routing', 'routing:\n    strategy: quality\n', ''],
    ['routing.strategy', '\n    strategy: quality', ' {}'],
    ['p2p', 'p2p:   # nothing yet\n', ''],
    ['backends.mesh', '  - { name: mesh,  enabled: true }   # at home\n', ''],
    ['backends.tor.name', 'name: "tor"      # behind it\n    priority', 'priority'],
    ['backends.tor.priority', '    priority: 2\n', ''],
    ['backends.tor.config.control_port', "{control_port: 9051, 'tor_port'", "{'tor_port'"],
    ['backends.tor.config.tor_port', ", 'tor_port': 9050}", '}'],
    ['tunnels.api-server.backends', '    backends: [ "tor", mesh ]  # a chain\n', ''],
    ['tunnels.api-server.backends[1]', '"tor", mesh ]', '"tor" ]'],
  ])('%s takes nothing else along', (path, before, after) => {
    expect(unset(path)).toBe(FILE.replace(before, after))
  })

  it('leaves the text alone when there is nothing', () => {
    expect(unset('p2p.maxPeers')).toBe(FILE)
  })
})

const scalar = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom('a: b', '# c', '- x', 'on', '\n', "'", '"'),
)
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), scalar, { maxKeys: 3 }))
const path = fc.constantFrom(
  'tunnels.api-server.port',
  'tunnels.api-server.access.secret',
  'tunnels.new.port',
  'backends.mesh.config',
  'backends.tor.config.a.b',
  'backends.tor.priority',
  'p2p.maxPeers',
  'p2p',
  'plugins',
  'routing.strategy',
  'tunnels.api-server.backends[2]',
)
const edit = fc.oneof(fc.record({ set: path, value }), fc.record({ unset: path }))
const COMMENTS = ['# my tunnels', '# at home', '# behind it', '# the site', '# node', '# a chain', '# nothing yet']

describe('any edits one after the other', () => {
  it('say afterwards what was set, keep every comment, and change nothing else', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), fc.boolean(), (edits, windows) => {
        let text = windows ? FILE.replaceAll('\n', '\r\n') : FILE
        for (const each of edits) {
          const isSet = 'set' in each
          const at = parseKeyPath(isSet ? each.set : each.unset)
          const before = text
          try {
            text = editText(before, 'f', isSet ? { set: at, value: each.value } : { unset: at })
          } catch (error) {
            expect((error as { code: string }).code).toBe('BEAM_ERR_CONFIG')
            continue
          }
          if (isSet && at.at(-1) !== 2) expect(valueAt(parse(text), at)).toEqual(each.value)
          if (!isSet) expect(valueAt(parse(text), at)).toBeUndefined()
          if (isSet && typeof valueAt(parse(before), at) !== 'object')
            for (const comment of COMMENTS) expect(text.includes(comment)).toBe(before.includes(comment))
        }
      }),
      { numRuns: 200 },
    )
  })
})
