import { readdirSync, unlinkSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { type Server, type Socket, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CleanupStack, lockName, tryProcessLock } from '../../../core/index.ts'
import { startChild } from './child.ts'

let cleanup = new CleanupStack()
let runtime = ''
beforeEach(async () => {
  runtime = await mkdtemp(join(tmpdir(), 'beam-l-'))
  cleanup.defer(() => rm(runtime, { recursive: true, force: true }))
})
afterEach(async () => {
  await cleanup[Symbol.asyncDispose]()
  cleanup = new CleanupStack()
})

const inUse = (pid: number): unknown =>
  expect.objectContaining({ code: 'BEAM_ERR_NAME_IN_USE', kind: 'unavailable', message: expect.stringContaining(`Process ${pid} `) })
const sockets = (): Promise<string[]> => readdir(join(runtime, 'locks'))

describe('lockName', () => {
  it('lets one process have a name at a time, and says which one has it', async () => {
    const lock = await lockName({ runtime }, 'web')
    await expect(lockName({ runtime }, 'web')).rejects.toThrow(inUse(process.pid))
    const child = await startChild(cleanup)
    expect(await child.ask({ do: 'lock', runtime, name: 'web' })).toBe('BEAM_ERR_NAME_IN_USE')
    await lock[Symbol.asyncDispose]()
    expect(await child.ask({ do: 'lock', runtime, name: 'web' })).toBe('won')
    await expect(lockName({ runtime }, 'web')).rejects.toThrow(inUse(child.pid))
  })

  it('keeps different names, and different runtime folders, apart', async () => {
    for (const name of ['web', 'api', 'a.b']) {
      const lock = await lockName({ runtime }, name)
      cleanup.defer(() => lock[Symbol.asyncDispose]())
    }
    const lock = await lockName({ runtime: join(runtime, 'other') }, 'web')
    await lock[Symbol.asyncDispose]()
  })

  it('leaves nothing behind when it is released, and releasing twice is harmless', async () => {
    const lock = await lockName({ runtime }, 'web')
    expect(await sockets()).toHaveLength(1)
    await lock[Symbol.asyncDispose]()
    await lock[Symbol.asyncDispose]()
    expect(await sockets()).toEqual([])
  })

  it('is free again after kill -9 of its holder, and what that left is removed', async () => {
    for (let round = 0; round < 3; round++) {
      const child = await startChild(cleanup)
      expect(await child.ask({ do: 'lock', runtime, name: 'web' })).toBe('won')
      await child.kill()
      expect(await sockets()).toHaveLength(1)
      const lock = await lockName({ runtime }, 'web')
      expect(await sockets()).toHaveLength(1)
      await lock[Symbol.asyncDispose]()
    }
  })

  it('has exactly one winner when three processes start at once, beside the remains of killed ones, in every round', async () => {
    const children = await Promise.all([startChild(cleanup), startChild(cleanup), startChild(cleanup)])
    for (let round = 0; round < 150; round++) {
      const name = round % 3 === 0 ? `n${round}` : 'web'
      const answers = await Promise.all(children.map((child) => child.ask({ do: 'lock', runtime, name })))
      expect([...answers.toSorted(), round]).toEqual(['BEAM_ERR_NAME_IN_USE', 'BEAM_ERR_NAME_IN_USE', 'won', round])
      if (round === 50) {
        const winner = answers.indexOf('won')
        await children[winner]?.kill()
        children[winner] = await startChild(cleanup)
      } else await Promise.all(children.map((child) => child.ask({ do: 'release' })))
    }
  })

  it('has exactly one winner when it is asked for many times at once in one process', async () => {
    for (let round = 0; round < 20; round++) {
      const results = await Promise.all(Array.from({ length: 8 }, () => tryProcessLock({ runtime }, 'web')))
      const locks = results.flatMap((result) => ('lock' in result ? [result.lock] : []))
      expect(locks).toHaveLength(1)
      await locks[0]?.[Symbol.asyncDispose]()
      expect(await sockets()).toEqual([])
    }
  })

  it('takes a process that listens and says nothing for a holder', async () => {
    await rival('ffffffffffff', () => {})
    await expect(lockName({ runtime }, 'web')).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_IN_USE' }))
  })

  it('does not believe a chatterer', async () => {
    await rival('ffffffffffff', (socket) => socket.write('x'.repeat(100_000)))
    await expect(lockName({ runtime }, 'web')).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_IN_USE' }))
  })

  it('gives up in favour of a contender with a lower ticket, and leaves nothing behind', async () => {
    await rival('000000000000', (socket) => socket.write('contending\n'))
    await expect(lockName({ runtime }, 'web')).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_IN_USE' }))
    expect(await sockets()).toHaveLength(1)
  })

  it('waits for a contender with a higher ticket: it may hold the lock already', async () => {
    await rival('ffffffffffff', (socket) => {
      socket.write('contending\n')
      setTimeout(() => socket.end('held 42\n'), 50)
    })
    await expect(lockName({ runtime }, 'web')).rejects.toThrow(inUse(42))
  })

  it('goes on when a contender with a higher ticket gives up', async () => {
    const server = await rival('ffffffffffff', (socket) => {
      socket.write('contending\n')
      setTimeout(() => {
        server.close()
        socket.destroy()
      }, 50)
    })
    const lock = await lockName({ runtime }, 'web')
    expect(await sockets()).toHaveLength(1)
    await lock[Symbol.asyncDispose]()
  })

  it('begins anew when its socket was taken for dead and removed', async () => {
    let removed = ''
    const server = await rival('ffffffffffff', (socket) => {
      removed = readdirSync(join(runtime, 'locks')).find((name) => !name.endsWith('-ffffffffffff')) ?? ''
      unlinkSync(join(runtime, 'locks', removed))
      server.close()
      socket.destroy()
    })
    const lock = await lockName({ runtime }, 'web')
    expect(removed).not.toBe('')
    expect(await sockets()).toHaveLength(1)
    expect(await sockets()).not.toContain(removed)
    await expect(lockName({ runtime }, 'web')).rejects.toThrow(inUse(process.pid))
    await lock[Symbol.asyncDispose]()
  })

  it('refuses names that are none before it touches the disk', async () => {
    await expect(lockName({ runtime }, '../web')).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_INVALID' }))
    expect(await readdir(runtime)).toEqual([])
  })

  it('says so when the runtime folder is too deep for sockets, or no folder', async () => {
    const problem = expect.objectContaining({ kind: 'config', hint: expect.stringContaining('BEAM_HOME') })
    await expect(lockName({ runtime: join(runtime, 'x'.repeat(90)) }, 'web')).rejects.toThrow(problem)
    await writeFile(join(runtime, 'file'), '')
    await expect(lockName({ runtime: join(runtime, 'file') }, 'web')).rejects.toThrow(problem)
  })

  it('takes up a runtime folder of the greatest length', async () => {
    const deep = join(runtime, 'd'.repeat(103 - 40 - Buffer.byteLength(runtime) - 1))
    await mkdir(deep)
    await (await lockName({ runtime: deep }, 'web'))[Symbol.asyncDispose]()
  })

  it('does not keep the process alive', async () => {
    const child = await startChild(cleanup)
    expect(await child.ask({ do: 'lock', runtime, name: 'web' })).toBe('won')
    expect(await child.disconnected()).toBe(0)
  })
})

/** Another contender for the name `web`, with this ticket, that behaves as it likes. */
async function rival(ticket: string, behave: (socket: Socket) => unknown): Promise<Server> {
  const lock = await lockName({ runtime }, 'web')
  const [own = ''] = await sockets()
  await lock[Symbol.asyncDispose]()
  const server = createServer((socket) => {
    cleanup.defer(() => socket.destroy())
    socket.on('error', () => {})
    behave(socket)
  })
  await new Promise<void>((resolve) => server.listen(join(runtime, 'locks', `${own.split('-')[0]}-${ticket}`), resolve))
  cleanup.defer(() => server.close())
  return server
}
