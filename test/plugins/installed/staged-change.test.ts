import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { stagedChange } from '../../../plugins/installed/staged-change.ts'
import { temporaryPaths } from '../memory-plugin.ts'

let paths: Awaited<ReturnType<typeof temporaryPaths>>
beforeEach(async () => {
  paths = await temporaryPaths()
})
afterEach(() => paths[Symbol.asyncDispose]())

const note = (): string => join(paths.data, 'plugins', 'note')
const write = (text: string): Promise<void> => stagedChange(paths, (copy) => writeFile(join(copy, 'note'), text))

it('puts the copy in the place of the folder when the work has succeeded', async () => {
  await write('one')
  await stagedChange(paths, async (copy) => {
    expect(await readFile(join(copy, 'note'), 'utf8')).toBe('one')
    await writeFile(join(copy, 'note'), 'two')
    expect(await readFile(note(), 'utf8')).toBe('one')
  })
  expect(await readFile(note(), 'utf8')).toBe('two')
  expect(await readdir(paths.data)).toEqual(['plugins'])
})

it('leaves the folder as it was when the work has failed', async () => {
  await write('one')
  const work = stagedChange(paths, async (copy) => {
    await writeFile(join(copy, 'note'), 'two')
    throw new Error('half-way')
  })
  await expect(work).rejects.toThrow('half-way')
  expect(await readFile(note(), 'utf8')).toBe('one')
  expect(await readdir(paths.data)).toEqual(['plugins'])
})

it('lets one at a time do it', async () => {
  const first = stagedChange(paths, async () => {
    await expect(write('two')).rejects.toMatchObject({
      code: 'BEAM_ERR_PLUGIN_INSTALL',
      message: expect.stringContaining('Another Beam process') as string,
    })
  })
  await first
  await write('three')
  expect(await readFile(note(), 'utf8')).toBe('three')
})

it('puts back what a process left that was killed between the two renames, and clears the rest away', async () => {
  await write('one')
  await rename(join(paths.data, 'plugins'), join(paths.data, 'plugins.old-0123456789ab'))
  await mkdir(join(paths.data, 'plugins.new-ba9876543210'))
  await mkdir(join(paths.data, 'plugins.new-mine'))
  await stagedChange(paths, async (copy) => {
    expect(await readFile(join(copy, 'note'), 'utf8')).toBe('one')
  })
  expect((await readdir(paths.data)).toSorted()).toEqual(['plugins', 'plugins.new-mine'])
})

it('says when the folder cannot be written', async () => {
  await writeFile(join(paths.data, 'plugins'), 'a file')
  await expect(stagedChange({ ...paths, data: join(paths.data, 'plugins') }, async () => {})).rejects.toMatchObject({
    code: 'BEAM_ERR_PLUGIN_INSTALL',
  })
})
