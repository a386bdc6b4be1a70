import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CleanupStack, openPins, tryProcessLock, type PinStore } from '../../../core/index.ts'
import { startChild } from '../identity/child.ts'

let cleanup = new CleanupStack()
let paths = { data: '', runtime: '' }
let pins: PinStore
beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'beam-p-'))
  cleanup.defer(() => rm(root, { recursive: true, force: true }))
  paths = { data: join(root, 'data'), runtime: join(root, 'run') }
  pins = openPins(paths)
})
afterEach(async () => {
  await cleanup[Symbol.asyncDispose]()
  cleanup = new CleanupStack()
})

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const file = (): string => join(paths.data, 'pins.json')

describe('openPins', () => {
  it('remembers accepted keys, for every spelling of the name and in a new store', async () => {
    expect(await pins.lookup('myapp.local')).toBeUndefined()
    await pins.accept('MyApp.local.', key(1))
    await pins.accept('b.local', key(2))
    const other = openPins(paths)
    expect(await other.lookup('myapp.local')).toEqual(Buffer.from(key(1)))
    expect([...(await other.list()).keys()]).toEqual(['b.local', 'myapp.local'])
  })

  it('never switches a name to another key unless it was forgotten', async () => {
    await pins.accept('a.local', key(1))
    await pins.accept('a.local', key(1))
    await expect(pins.accept('a.local', key(2))).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_CONFLICT' }))
    expect(await pins.lookup('a.local')).toEqual(Buffer.from(key(1)))
    expect(await pins.forget('A.local')).toBe(true)
    expect(await pins.forget('a.local')).toBe(false)
    await pins.accept('a.local', key(2))
    expect(await pins.lookup('a.local')).toEqual(Buffer.from(key(2)))
  })

  it('loses no pin when two processes accept keys at the same time', async () => {
    const children = await Promise.all([startChild(cleanup), startChild(cleanup)])
    for (let round = 0; round < 15; round++) {
      const answers = await Promise.all(
        children.map((child, i) =>
          child.ask({ do: 'pin', ...paths, name: `n${round}.p${i}`, key: Buffer.from(key(round)).toString('hex') }),
        ),
      )
      expect(answers).toEqual(['accepted', 'accepted'])
    }
    expect((await pins.list()).size).toBe(30)
  })

  it('lets one of two processes win that accept different keys for one name', async () => {
    const children = await Promise.all([startChild(cleanup), startChild(cleanup)])
    for (let round = 0; round < 10; round++) {
      const name = `n${round}.local`
      const answers = await Promise.all(
        children.map((child, i) => child.ask({ do: 'pin', ...paths, name, key: Buffer.from(key(i)).toString('hex') })),
      )
      expect(answers.toSorted()).toEqual(['BEAM_ERR_NAME_CONFLICT', 'accepted'])
      expect(await pins.lookup(name)).toEqual(Buffer.from(key(answers.indexOf('accepted'))))
    }
  })

  it('is written for its owner only and leaves nothing else behind', async () => {
    await pins.accept('a.local', key(1))
    if (process.platform !== 'win32') expect((await stat(file())).mode & 0o777).toBe(0o600)
    expect(await readdir(paths.data)).toEqual(['pins.json'])
    expect(await readdir(join(paths.runtime, 'locks'))).toEqual([])
  })

  it.each([
    ['nothing', ''],
    ['half a file', '{"version":1,"names":{"a.lo'],
    ['another version', '{"version":2,"names":{}}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['names that are a list', '{"version":1,"names":[]}'],
    ['a key that is damaged', '{"version":1,"names":{"a.local":"aaaa"}}'],
    ['a key that is a number', '{"version":1,"names":{"a.local":1}}'],
  ])('refuses a file that holds %s, and leaves it as it is', async (_what, content) => {
    await mkdir(paths.data, { mode: 0o700 })
    await writeFile(file(), content, { mode: 0o600 })
    const problem = expect.objectContaining({ code: 'BEAM_ERR_KEY_STORAGE', message: expect.stringContaining('damaged') })
    await expect(pins.lookup('a.local')).rejects.toThrow(problem)
    await expect(pins.accept('b.local', key(1))).rejects.toThrow(problem)
    await expect(pins.forget('a.local')).rejects.toThrow(problem)
    expect(await readFile(file(), 'utf8')).toBe(content)
  })

  it.runIf(process.platform !== 'win32')('refuses a file that others could have changed', async () => {
    await pins.accept('a.local', key(1))
    await chmod(file(), 0o666)
    await expect(pins.lookup('a.local')).rejects.toThrow(expect.objectContaining({ hint: expect.stringContaining('chmod 600') }))
  })

  it('refuses what is no domain or no key', async () => {
    await expect(pins.lookup('../x')).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_INVALID' }))
    await expect(pins.accept('nodot', key(1))).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_INVALID' }))
    await expect(pins.accept('a.local', new Uint8Array(31))).rejects.toThrow(RangeError)
  })

  it('gives up with a clear error when another process does not let go of the file', async () => {
    const result = await tryProcessLock(paths, 'pins')
    if (!('lock' in result)) throw new Error('the lock was not free')
    cleanup.defer(() => result.lock[Symbol.asyncDispose]())
    await expect(pins.accept('a.local', key(1))).rejects.toThrow(
      expect.objectContaining({ code: 'BEAM_ERR_KEY_STORAGE', message: expect.stringContaining(`process ${process.pid}`) }),
    )
  })
})
