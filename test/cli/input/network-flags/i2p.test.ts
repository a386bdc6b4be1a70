import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { networkWishes, readsHttp, selectedBy } from '../../../../cli/input/network-flags/index.ts'
import type { FlagValues } from '../../../../cli/input/network-flags/group.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-flags-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const used = async (): Promise<string[]> => ['i2p']
const publish = (flags: FlagValues): ReturnType<typeof networkWishes> => networkWishes('publish', flags, used)

describe('flags of I2P', () => {
  it('--eep-site chooses I2P and has Beam read HTTP, and is no option of the network', async () => {
    expect(selectedBy({ 'eep-site': true })).toEqual(['i2p'])
    expect(readsHttp({ 'eep-site': true })).toBe(true)
    expect(readsHttp({})).toBe(false)
    expect(await publish({ 'eep-site': true })).toEqual({ environment: {} })
  })

  it('about a tunnel become its options, about all of them settings', async () => {
    const flags = {
      'i2p-variance': '-1',
      'i2p-encrypted': true,
      'i2p-allow': ['a'],
      'i2p-deny': ['b'],
      'i2p-hostname': 'x.i2p',
      'key-file': 'k',
    }
    expect(await publish({ ...flags, 'i2p-length': '2', 'i2p-quantity': '4', 'i2p-sam-port': '7000' })).toEqual({
      network: { i2p: { variance: -1, encrypted: true, allow: ['a'], deny: ['b'], hostname: 'x.i2p', keyFile: 'k' } },
      environment: { BEAM_I2P_LENGTH: '2', BEAM_I2P_QUANTITY: '4', BEAM_I2P_SAM_PORT: '7000' },
    })
  })

  it('take keys from files that only their owner may read', async () => {
    const file = join(folder, 'clients')
    await writeFile(file, '# friends\nalice:AAAA\n\n bob:BBBB \n', { mode: 0o600 })
    const { network } = await publish({ 'i2p-clients': file, 'i2p-auth': 'dh' })
    expect(network).toEqual({ i2p: { clients: ['alice:AAAA', 'bob:BBBB'], auth: 'dh' } })
    expect((await networkWishes('dial', { 'i2p-client-key': file, 'i2p-as': 'me' }, used)).network).toEqual({
      i2p: { clientKey: 'alice:AAAA', as: 'me' },
    })
    await chmod(file, 0o644)
    await expect(publish({ 'i2p-clients': file })).rejects.toThrow('other users')
  })

  it.each<readonly [FlagValues, string]>([
    [{ 'i2p-variance': 'x' }, '--i2p-variance is no whole number'],
    [{ 'i2p-variance': '' }, '--i2p-variance is no whole number'],
    [{ 'i2p-clients': '/no/such/file' }, 'does not exist'],
  ])('%j is refused', async (flags, message) => {
    await expect(publish(flags)).rejects.toThrow(message)
  })
})
