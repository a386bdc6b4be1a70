import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidConfigError } from '../../config/index.ts'
import { parseSource } from '../../config/source.ts'
import { root, load, failure } from './load-stage.ts'

describe('any bytes', () => {
  const outcome = async (bytes: Uint8Array): Promise<void> => {
    const file = join(root, 'any.yaml')
    await writeFile(file, bytes)
    const result: unknown = await load({ file }).catch((reason: unknown) => reason)
    if (!(result instanceof InvalidConfigError)) expect(result).toHaveProperty('config.p2p.maxPeers')
  }

  it('are a configuration or an error with places', async () => {
    const word = fc.constantFrom(
      'backends',
      'name',
      'mesh',
      'config',
      'mdns',
      'tunnels',
      'port',
      '3000',
      'p2p',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&a',
      '*a',
      '<<',
      '!!',
      '|',
      '#',
      ',',
      '? ',
      '%',
      '---',
      '\t',
      '__proto__',
      '\u0000',
      '💥',
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(word, { maxLength: 60 }).map((words) => new TextEncoder().encode(words.join(''))),
    )
    await fc.assert(fc.asyncProperty(bytes, outcome), { numRuns: 250 })
  })

  it('that are well-formed but mean anything are so too', async () => {
    const value = fc.json({ maxDepth: 4 })
    const config = fc.record({ backends: value, tunnels: value, plugins: value, p2p: value, routing: value }, { requiredKeys: [] }).map(
      (record) =>
        `{${Object.entries(record)
          .map(([key, json]) => `"${key}": ${json}`)
          .join(', ')}}`,
    )
    await fc.assert(
      fc.asyncProperty(config, async (text) => outcome(new TextEncoder().encode(text))),
      { numRuns: 120 },
    )
  })

  it.each(['[', '- ', '? ', '{a: ', '[{', '- - ? '])('of nothing but %j neither take long nor end the process', (piece) => {
    const { problems } = parseSource(piece.repeat(Math.floor((120 * 1024) / piece.length)), 'f')
    expect(problems.map(({ message }) => message)).toEqual(['nested too deeply; at most 64 levels are read'])
  })
})

describe('a file of the largest size', () => {
  const keys = Array.from({ length: 13_000 }, (_, index) => `k${index}: 1`)
  it.each([
    ['unknown keys', keys.join('\n'), 200],
    ['things without what they need', `tunnels:\n${'- { nam: x }\n'.repeat(9_000)}`, 200],
    ['names that are there already', `plugins:\n${'- x\n'.repeat(30_000)}`, 100],
    ['aliases', `a: &a 1\nb:\n${'- *a\n'.repeat(24_000)}`, 1],
    ['aliases without anchors', '- *a\n'.repeat(24_000), 101],
    ['syntax errors', '- "\\x\n'.repeat(20_000), 100],
  ])('with nothing but %s is refused with a bounded list', async (_what, text, most) => {
    const file = join(root, 'large.yaml')
    await writeFile(file, text)
    const { problems } = await failure({ file })
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThanOrEqual(most + 1)
  })
})
