import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { startBridge } from '../../helpers/onion-network/bridge.ts'
import { beam } from '../../cli/beam-process.ts'
import { freePort } from '../../e2e/scene.ts'
import { requireProgram } from '../requirements.ts'
import { OnionScene, type OnionPublication } from './onion-scene.ts'
import { controlsBelow } from './own-daemons.ts'

const flavor = requireTor()
const obfs4 = requireProgram('obfs4proxy', { apt: 'obfs4proxy' })

describe.runIf(flavor)('visitors whom the publisher knows', () => {
  let scene: OnionScene
  let protectedService: OnionPublication
  let key: string

  beforeAll(async () => {
    scene = await OnionScene.open(flavor!)
    const { stdout } = await beam(['tor', 'auth', 'add', 'secret', 'alice', '--json'], scene.scene.folder)
    key = (JSON.parse(stdout) as { readonly privateKey: string }).privateKey
    protectedService = await scene.publish(await scene.serve('for alice'), ['--name', 'secret'])
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  const keyFile = (text: string): string => {
    const file = scene.home('client.key')
    writeFileSync(file, `${text}\n`, { mode: 0o600 })
    return file
  }

  it('get in with their key', async () => {
    const visit = await scene.visit(protectedService.address, ['--auth-key', keyFile(key)], scene.home('alice'))
    expect(await (await fetch(`http://127.0.0.1:${visit.port}/`)).text()).toBe('for alice')
    await visit.process.stop()
  })

  it('and nobody else does, with another key or none, and is told why', async () => {
    const der = generateKeyPairSync('x25519').privateKey.export({ format: 'der', type: 'pkcs8' })
    const other = der.subarray(-32).toString('base64')
    const wrong = await scene.refusal(protectedService.address, ['--auth-key', keyFile(other)], scene.home('mallory'))
    expect(wrong).toMatchObject({ code: 'BEAM_ERR_ACCESS_DENIED', message: expect.stringContaining('key') as string })
    const without = await scene.refusal(protectedService.address, [], scene.home('bob'))
    expect(without).toMatchObject({ code: 'BEAM_ERR_ACCESS_DENIED', hint: expect.stringContaining('--auth-key') as string })
  })

  it('and nobody at all once the last key is taken away while it runs', async () => {
    const { code } = await beam(['tor', 'auth', 'remove', 'secret', 'alice', '--json'], scene.scene.folder)
    expect(code).toBe(0)
    const refused = await scene.refusal(protectedService.address, ['--auth-key', keyFile(key)], scene.home('late'))
    expect(refused).toMatchObject({ code: 'BEAM_ERR_ACCESS_DENIED' })
  })
})

describe.runIf(flavor)('a service that was open', () => {
  it('lets go whoever is connected when it is closed, and nobody when one more is let in', async () => {
    await using scene = await OnionScene.open(flavor!)
    const echo = await scene.scene.serve(createServer((socket) => socket.on('error', () => {}).pipe(socket)))
    const { address } = await scene.publish(echo, ['--name', 'once-open'])
    const letIn = async (client: string): Promise<string> => {
      const { stdout } = await beam(['tor', 'auth', 'add', 'once-open', client, '--json'], scene.scene.folder)
      return (JSON.parse(stdout) as { readonly privateKey: string }).privateKey
    }
    const connected = async (flags: readonly string[], home: string): Promise<Socket> => {
      const { port } = await scene.visit(address, flags, scene.home(home))
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      socket.write('ping')
      await once(socket, 'data')
      return socket
    }
    const stranger = await connected([], 'stranger')
    const cut = new Promise((resolve) => stranger.once('close', resolve))
    const file = scene.home('alice.key')
    writeFileSync(file, await letIn('alice'), { mode: 0o600 })
    await cut
    const alice = await connected(['--auth-key', file], 'alice')
    await letIn('bob')
    await delay(2_000)
    alice.write('still here')
    expect(String((await once(alice, 'data'))[0])).toBe('still here')
  })
})

describe.runIf(flavor)('several ports on one onion', () => {
  it('lead to several local ports, and to nothing else', async () => {
    await using scene = await OnionScene.open(flavor!)
    const [one, two] = [await scene.serve('one'), await scene.serve('two')]
    const { address } = await scene.publish(one, ['--tor-port', '80', '--tor-port', `8080:${two}`])
    for (const [target, text] of [
      [address, 'one'],
      [`${address}:8080`, 'two'],
    ] as const) {
      const visit = await scene.visit(target)
      expect(await (await fetch(`http://127.0.0.1:${visit.port}/`)).text()).toBe(text)
      await visit.process.stop()
    }
    const nowhere = await scene.visit(`${address}:9999`)
    await expect(fetch(`http://127.0.0.1:${nowhere.port}/`)).rejects.toThrow('fetch failed')
    const { reason } = await nowhere.process.event('down')
    expect(reason).toMatch(/refuses connections on port 9999.*put its port behind the address/)
    // The service is looked for meanwhile; that it answers does not make the port one that it offers.
    await delay(3_000)
    await expect(fetch(`http://127.0.0.1:${nowhere.port}/`)).rejects.toThrow('fetch failed')
    expect(nowhere.process.events.map(({ event }) => event).filter((event) => event === 'up' || event === 'down')).toEqual(['down'])
    await nowhere.process.stop()
  })
})

describe.runIf(flavor && obfs4)('a bridge with obfs4', () => {
  it('is the only way by which an own tor enters the network', async () => {
    await using scene = await OnionScene.open(flavor!)
    const bridge = await startBridge(scene.network, obfs4!, await freePort(), await freePort())
    scene.configure({ bridges: [bridge.line], transports: { obfs4 } })
    const { address, process } = await scene.publish(await scene.serve('over the bridge'))
    const [control] = await controlsBelow(scene.home('home'))
    const connections = (await control!.info('orconn-status')).trim().split('\n')
    control!.close()
    expect(connections.map((line) => line.split(/[ ~]/)[0])).toEqual([`$${bridge.line.split(' ')[2]}`])
    const visit = await scene.visit(address)
    expect(await (await fetch(`http://127.0.0.1:${visit.port}/`)).text()).toBe('over the bridge')
    await visit.process.stop()
    expect((await process.stop()).code).toBe(0)
  })
})
