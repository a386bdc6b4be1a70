import { describe, expect, it } from 'vitest'
import { optionRows, schemaTable } from '../../../cli/output/schema-table.ts'
import { rate } from '../../../cli/output/capability-words.ts'
import { colours } from '../../../cli/output/colours.ts'
import { foreignText } from '../../../cli/output/foreign-text.ts'
import { table } from '../../../cli/output/table.ts'

const plain = colours({ isTTY: false })

describe('a table', () => {
  it('fits its width, whatever is in it', () => {
    const columns = [
      { title: 'NAME', max: 8 },
      { title: 'MEANING', max: 60 },
    ]
    const text = table(
      columns,
      [
        ['a-very-long-name', 'words that go on and on '.repeat(5)],
        ['b', 'x'.repeat(90)],
        ['', ''],
      ],
      40,
      plain,
    )
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(40)
    expect(text.replace(/\s/g, '')).toContain('x'.repeat(90).slice(0, 30))
    expect(text).toMatch(/^a-very-l {2}words/m)
  })
})

describe('the settings of a schema', () => {
  it('are rows with types, ranges and defaults', () => {
    const schema = {
      type: 'object',
      properties: {
        one: { const: 1 },
        list: { type: 'array' },
        few: { type: 'number', maximum: 3 },
        many: { type: 'integer', minimum: 3, default: 7 },
        free: {},
        either: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      },
    }
    expect(optionRows(schema).map(({ option, type, default: standard }) => [option, type, standard])).toEqual([
      ['one', '1', undefined],
      ['list', 'list', undefined],
      ['few', 'number, at most 3', undefined],
      ['many', 'integer, 3 or more', '7'],
      ['free', 'anything', undefined],
      ['either', 'string or null', undefined],
    ])
  })

  it('do no harm to a terminal', () => {
    const schema = { properties: { 'a\u001B[31m': { description: 'red \u001B]0;title\u0007\nnext', enum: ['\u0000x'] } } }
    expect(schemaTable(schema, 80, plain)).not.toMatch(/[^\P{Cc}\n]/u)
  })
})

it('text of others is one line without control characters, and not endless', () => {
  expect(foreignText('a\r\nb\u202Ec\u001B[2Jd')).toBe('a b cd')
  expect(foreignText('y'.repeat(100_000)).length).toBeLessThan(1_100)
})

it.each([
  [0, '0 B/s'],
  [999, '999 B/s'],
  [1_500, '1.50 kB/s'],
  [123_456_789, '123 MB/s'],
  [5e12, '5000 GB/s'],
])('%d bytes per second are %s', (value, text) => {
  expect(rate(value)).toBe(text)
})
