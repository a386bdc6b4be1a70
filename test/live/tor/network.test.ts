import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { OnionNetwork, requireAnon, requireTor } from '../../helpers/onion-network/index.ts'

const holder = fileURLToPath(new URL('network-holder.ts', import.meta.url))

describe.each([
  { name: 'tor', flavor: requireTor() },
  { name: 'anon', flavor: requireAnon() },
])('the private network of $name', ({ flavor }) => {
  it.runIf(flavor)('carries a descriptor from a publisher to a visitor', async () => {
    await using network = await OnionNetwork.start(flavor!)
    const [publisher, visitor] = await Promise.all([network.client('publisher'), network.client('visitor', { cold: true })])
    const control = await publisher.daemon.control()
    await control.command('SETEVENTS HS_DESC')
    const uploaded = new Promise((resolve) => control.on('event', (text) => text.startsWith('HS_DESC UPLOADED') && resolve(text)))
    const [service] = await control.command('ADD_ONION NEW:ED25519-V3 Flags=DiscardPK Port=80,127.0.0.1:9')
    await uploaded
    const asking = await visitor.daemon.control()
    await asking.command('SETEVENTS HS_DESC')
    const received = new Promise((resolve) => asking.on('event', (text) => text.startsWith('HS_DESC RECEIVED') && resolve(text)))
    const id = service?.text.replace('ServiceID=', '') ?? ''
    await asking.command(`HSFETCH ${id}`)
    expect(await received).toContain(id)
  })
})

describe.runIf(requireTor())('a private network whose owner is killed', () => {
  it('leaves no process and no folder', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', holder], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the holder of the network ended with ${code}`)))
    ended.catch(() => {})
    const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
    const { folder, pids } = JSON.parse(line.toString()) as { readonly folder: string; readonly pids: readonly number[] }
    expect(pids.filter(runs)).toHaveLength(5)
    child.kill('SIGKILL')
    await vi.waitFor(
      () => expect({ running: pids.filter(runs), folder: existsSync(folder) }).toEqual({ running: [], folder: false }),
      10_000,
    )
  })
})

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
