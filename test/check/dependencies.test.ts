import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from './cruise.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Rows of the first table: package and licence. */
const listed = read('docs/dependencies.md')
  .split('\n## ')[0]!
  .split('\n')
  .map((line) => /^\| `([^`]+)` \| ([^|]+) \|/.exec(line))
  .filter((row) => row !== null)
  .map(([, name = '', licence = '']) => ({ name, licence: licence.trim() }))

it('docs/dependencies.md lists exactly what package.json ships', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
  expect(listed.map(({ name }) => name).toSorted()).toEqual(Object.keys(dependencies).toSorted())
})

it.each(listed)('the licence of $name is $licence', ({ name, licence }) => {
  expect(JSON.parse(read(`node_modules/${name}/package.json`))).toMatchObject({ license: licence })
  expect(licence).toMatch(/^(MIT|Apache-2\.0|BSD-[23]-Clause|ISC|MPL-2\.0)$/)
})
