import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { CASES_BY_CHAPTER } from '../../../core/testing/conformance/cases.ts'
import { CHAPTERS, PROMISE_IDS, PROMISES } from '../../../core/testing/index.ts'

const read = (path: string): Promise<string> => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** The text of the comments of the contract and the powers, without the ones at the top that explain the notation. */
async function contractComments(): Promise<string> {
  const sources = await Promise.all(['core/backend.ts', 'core/powers.ts'].map(read))
  return sources
    .flatMap((source) => (source.match(/\/\*\*[\s\S]*?\*\//g) ?? []).slice(1))
    .map((comment) => comment.replaceAll(/\s*\n\s*\* ?/g, ' '))
    .join('\n')
}

const namesIn = (text: string): string[] => [...text.matchAll(/\[([a-z]+(?:-[a-z]+)*)\]/g)].map(([, name]) => name ?? '')

describe('the promises of the contract', () => {
  it('are the ones that core/backend.ts and core/powers.ts name, each once', async () => {
    expect(namesIn(await contractComments()).toSorted()).toEqual([...PROMISE_IDS].toSorted())
  })

  it('stand wherever they say must, and nowhere else', async () => {
    const sentences = (await contractComments()).split(/(?<=\.)\s|\n/)
    const says = sentences.map((sentence) => ({ sentence, must: /\bmust\b/i.test(sentence), named: namesIn(sentence).length > 0 }))
    expect(says.filter(({ must, named }) => must !== named)).toEqual([])
    expect(says.filter(({ must }) => must).length).toBeGreaterThan(30)
  })

  it('have one case each, in the chapter that is stated', () => {
    const cases = CASES_BY_CHAPTER.flatMap(([chapter, list]) => list.map(({ id }) => [id, chapter]))
    expect(cases).toEqual(PROMISE_IDS.map((id) => [id, PROMISES[id][0]]))
  })

  it('stand in docs/conformance.md with the same sentences, chapter by chapter', async () => {
    const docs = (await read('docs/conformance.md')).split('## The promises')[1] ?? ''
    const rows = [...docs.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, id, promise]) => [id, promise])
    expect(rows).toEqual(PROMISE_IDS.map((id) => [id, PROMISES[id][1]]))
    const headings = [...docs.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading)
    expect(headings).toEqual([...CHAPTERS])
  })
})
