import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { OnionScene } from './onion-scene.ts'
import { controlsBelow } from './own-daemons.ts'

const flavor = requireTor()

describe.runIf(flavor)('beam connect --circuits', () => {
  let scene: OnionScene
  let address: string
  beforeAll(async () => {
    scene = await OnionScene.open(flavor!)
    const port = await scene.scene.serve(createServer((socket) => socket.on('error', () => {}).pipe(socket)))
    address = (await scene.publish(port)).address
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  /** Circuits of the visitor's streams while so many connections are open, as its daemon says. */
  async function circuits(flags: readonly string[], connections: number, home: string): Promise<string[]> {
    const visit = await scene.visit(address, flags, scene.home(home))
    const sockets: Socket[] = []
    for (let count = 0; count < connections; count++) {
      const socket = connect(visit.port, '127.0.0.1')
      sockets.push(socket)
      socket.write('x')
      await once(socket, 'data')
    }
    const [control] = await controlsBelow(scene.home(home))
    // StreamID, status, circuit, target (control-spec, section 3.9).
    const streams = (await control!.info('stream-status')).split('\n').map((line) => line.split(' '))
    const built = (await control!.info('circuit-status')).split('\n').filter((line) => / BUILT .*PURPOSE=HS_CLIENT_REND/.test(line))
    for (const socket of sockets) socket.destroy()
    control!.close()
    await visit.process.stop()
    const used = streams
      .filter(([, status, , target]) => status === 'SUCCEEDED' && target?.endsWith('.onion:80'))
      .map(([, , id]) => id ?? '')
    const ids = new Set(built.map((line) => line.split(' ')[0]))
    expect(used.every((id) => ids.has(id))).toBe(true)
    return used
  }

  it('keeps all connections on one circuit without it', async () => {
    const used = await circuits([], 4, 'one')
    expect(used).toHaveLength(4)
    expect(new Set(used).size).toBe(1)
  })

  it('spreads connections over as many circuits', async () => {
    const used = await circuits(['--circuits', '4'], 8, 'four')
    expect(used).toHaveLength(8)
    expect(new Set(used).size).toBe(4)
  })
})
