import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { networkWishes, selectedBy } from '../../../../cli/input/network-flags/index.ts'

const publish = (flags: Record<string, unknown>, ...used: string[]): ReturnType<typeof networkWishes> =>
  networkWishes('publish', flags, async () => (used.length === 0 ? ['tor'] : used))
const dial = (flags: Record<string, unknown>): ReturnType<typeof networkWishes> => networkWishes('dial', flags, async () => ['tor'])

describe('flags of networks with onion services', () => {
  it('describe the service', async () => {
    const flags = { 'tor-port': ['80:3000', '81', '22:127.0.0.1:2222', '90:unix:/run/app.sock'], 'max-streams': '100', pow: true }
    const options = { ports: flags['tor-port'], maxStreams: 100, pow: true }
    expect(await publish(flags)).toEqual({ network: { tor: options }, environment: {} })
    expect(await publish(flags, 'ator', 'mesh')).toEqual({ network: { ator: options }, environment: {} })
  })

  it.each(['', '0', '70000', 'x', '80:', '80:0', '80:70000', '80:host', ':3000', '80:unix:x'])('know that %j is no port', async (port) => {
    await expect(publish({ 'tor-port': [port] })).rejects.toMatchObject({ code: 'BEAM_ERR_USAGE' })
  })

  it.each(['0', '-1', '65536', 'many'])('know that %j is no number of streams', async (count) => {
    await expect(publish({ 'max-streams': count })).rejects.toMatchObject({ code: 'BEAM_ERR_USAGE' })
  })

  it('reach the settings of each network by its variables', async () => {
    const lines = ['obfs4 192.0.2.1:443 cert=a,b iat-mode=0', '192.0.2.2:9001']
    const { environment } = await publish({ bridge: lines, 'non-anonymous': true, 'tor-control': '9051' }, 'tor', 'ator')
    expect(environment).toEqual({
      BEAM_TOR_BRIDGES: JSON.stringify(lines),
      BEAM_TOR_NON_ANONYMOUS: 'true',
      BEAM_TOR_CONTROL_PORT: '9051',
      BEAM_ATOR_BRIDGES: JSON.stringify(lines),
      BEAM_ATOR_NON_ANONYMOUS: 'true',
      BEAM_ATOR_CONTROL_PORT: '9051',
    })
    expect((await dial({ 'tor-control': '/run/tor/control' })).environment).toEqual({ BEAM_TOR_CONTROL_SOCKET: '/run/tor/control' })
  })

  it('are refused on other networks', async () => {
    await expect(publish({ pow: true }, 'mesh')).rejects.toThrow('--pow is for tor and ator, which are not used here.')
  })

  it('choose ATOR by what it is built on', () => {
    expect(selectedBy({ 'depin-infrastructure': true })).toEqual(['ator'])
  })
})

describe('--auth-key', () => {
  const key = 'a'.repeat(52)

  it('is a key, or a file with one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'beam-'))
    try {
      await writeFile(join(folder, 'key'), `${key}\nmore\n`)
      const expected = { network: { tor: { authKey: key } }, environment: {} }
      expect(await dial({ 'auth-key': key })).toEqual(expected)
      expect(await dial({ 'auth-key': join(folder, 'key') })).toEqual(expected)
      const line = `${'b'.repeat(56)}:descriptor:x25519:${key}`
      expect(await dial({ 'auth-key': line })).toMatchObject({ network: { tor: { authKey: line } } })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('says what is wrong without showing it', async () => {
    await expect(dial({ 'auth-key': 'no-such-file' })).rejects.toThrow('The file of the visitor’s private key cannot be read')
    await expect(dial({ 'auth-key': '-', stdio: true })).rejects.toThrow('standard input carries the connection')
  })
})
