import { describe, expect, it, vi } from 'vitest'
import { operateBackend, operateWhereUsed } from '../../cli/operate.ts'
import { slowNetwork } from '../helpers/slow-network.ts'
import { Home, service } from './daemon/home.ts'

describe('operations of backends', { timeout: 180_000 }, () => {
  it('are carried out by a command in the foreground, also while its network is still starting', async () => {
    using web = await service()
    await using home = await Home.make()
    const { paths } = home
    await slowNetwork(home.path, { stuckAt: 50 })
    await using command = home.start(String(web.port), '--json')
    await vi.waitFor(async () => expect(await operateWhereUsed({ backend: 'slow', operation: 'status', paths })).toHaveLength(1), 60_000)
    const [{ answer, process } = { answer: {}, process: undefined }] = await operateBackend({ backend: 'slow', operation: 'status', paths })
    expect(answer).toEqual({ percent: 50, tunnels: 0 })
    expect(process).toMatchObject({ pid: command.child.pid, role: 'command' })
    expect(await home.tunnels()).toMatchObject([{ state: 'starting', endpoints: [] }])
  })

  it('are carried out by a command that visits', async () => {
    await using home = await Home.make()
    const { paths } = home
    await slowNetwork(home.path, { stuckAt: 50 })
    await using command = home.start('connect', 'http://any.example', '--backend', 'slow', '--json')
    await vi.waitFor(async () => expect(await operateWhereUsed({ backend: 'slow', operation: 'status', paths })).toHaveLength(1), 60_000)
    expect(await home.list()).toMatchObject([{ process: { pid: command.child.pid }, tunnels: [] }])
    expect((await home.run('list')).stdout).toContain('No tunnel runs')
    expect((await command.stop()).code).toBe(0)
    expect(await home.list()).toEqual([])
  })

  it('can be stopped before it is ready, which is no failure', async () => {
    using web = await service()
    await using home = await Home.make()
    await slowNetwork(home.path, { stuckAt: 50 })
    for (const daemon of [false, true]) {
      if (daemon) await home.startDaemon()
      await using command = home.start(String(web.port), '--json')
      await vi.waitFor(async () => expect(await home.tunnels()).toHaveLength(1), 60_000)
      const [tunnel] = await home.tunnels()
      expect((await home.run('stop', tunnel?.id ?? '')).code).toBe(0)
      const { code, stdout } = await command.ended
      expect(stdout).not.toContain('"error"')
      expect(code).toBe(0)
    }
  })

  it('are carried out by the daemon for each configuration that uses the backend', async () => {
    using web = await service()
    await using home = await Home.make()
    const { paths } = home
    await slowNetwork(home.path, { stepMs: 1 })
    expect(await home.run(String(web.port), '-d', '--quiet', '--name', 'one')).toMatchObject({ code: 0 })
    await slowNetwork(home.path, { stepMs: 2 })
    expect((await home.run(String(web.port), '-d', '--quiet', '--name', 'two')).code).toBe(0)
    const answers = await operateBackend({ backend: 'slow', operation: 'echo', input: { word: 'hello' }, paths })
    expect(answers).toMatchObject([
      { process: { role: 'daemon' }, answer: { input: { word: 'hello' } } },
      { process: { role: 'daemon' }, answer: { input: { word: 'hello' } } },
    ])
    await expect(operateBackend({ backend: 'slow', operation: 'fail', paths })).rejects.toThrow('it cannot be done')
    await expect(operateBackend({ backend: 'slow', operation: 'flood', paths })).rejects.toThrow('more than 262144 bytes')
    await expect(operateBackend({ backend: 'slow', operation: 'unknown', paths })).rejects.toMatchObject({ kind: 'unsupported' })
    await expect(operateBackend({ backend: 'x'.repeat(101), operation: 'status', paths })).rejects.toMatchObject({
      code: 'BEAM_ERR_CONTROL',
    })
  })

  it('need a process that uses the backend', async () => {
    await using home = await Home.make()
    const { paths } = home
    await expect(operateBackend({ backend: 'slow', operation: 'status', paths })).rejects.toMatchObject({
      code: 'BEAM_ERR_BACKEND_IDLE',
      hint: expect.stringContaining('beam 3000 --backend slow') as string,
    })
    await home.startDaemon()
    expect(await operateWhereUsed({ backend: 'slow', operation: 'status', paths })).toEqual([])
  })
})
