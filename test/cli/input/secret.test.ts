import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSecret } from '../../../cli/input/secret.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secret-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const input = (...chunks: string[]): NodeJS.ReadStream => Readable.from(chunks) as unknown as NodeJS.ReadStream

describe('readSecret', () => {
  it('is undefined when nothing gives one', async () => {
    expect(await readSecret({})).toBeUndefined()
    expect(await readSecret({ env: '' })).toBeUndefined()
  })

  it('prefers the flag to the file, and the file to the environment', async () => {
    const file = join(folder, 'word')
    await writeFile(file, 'from file\r\nsecond line\n')
    expect(await readSecret({ secret: 'flag', file, env: 'env' })).toBe('flag')
    expect(await readSecret({ file, env: 'env' })).toBe('from file')
    expect(await readSecret({ env: 'env' })).toBe('env')
  })

  it('reads one line of standard input for -', async () => {
    expect(await readSecret({ secret: '-' }, input('open ses', 'ame\nrest'))).toBe('open sesame')
    expect(await readSecret({ secret: '-' }, input('no newline'))).toBe('no newline')
  })

  it('refuses an empty word', async () => {
    await writeFile(join(folder, 'empty'), '\n')
    await expect(readSecret({ secret: '' })).rejects.toThrow('--secret is empty')
    await expect(readSecret({ secret: '-' }, input('\n'))).rejects.toThrow('is empty')
    await expect(readSecret({ file: join(folder, 'empty') })).rejects.toThrow('is empty')
  })

  it('reads no more than a secret word can have', async () => {
    const file = join(folder, 'large')
    await writeFile(file, 'x'.repeat(1_000_000))
    await expect(readSecret({ file })).rejects.toThrow('longer than 4096 bytes')
    async function* endless(): AsyncGenerator<string> {
      for (;;) yield 'x'.repeat(1_000)
    }
    await expect(readSecret({ secret: '-' }, Readable.from(endless()) as unknown as NodeJS.ReadStream)).rejects.toThrow('longer than')
  })

  it('does not repeat the word in an error', async () => {
    const error = await readSecret({ secret: 'sesame'.repeat(1_000) }).catch((thrown: unknown) => thrown)
    expect(String(error)).not.toContain('sesame')
  })

  it('says why a file cannot be read', async () => {
    await expect(readSecret({ file: join(folder, 'missing') })).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_USAGE' }))
  })
})
