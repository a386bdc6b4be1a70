import { execFileSync } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { requireTor, type Control } from '../../helpers/onion-network/index.ts'
import { OnionScene } from './onion-scene.ts'

const flavor = requireTor()
const PASSWORD = 'a "quoted" \\ word'

describe.runIf(flavor)('beam --tor with a tor that runs already', () => {
  let scene: OnionScene
  let control: Control
  let controlPort: number
  let socksPort: number

  beforeAll(async () => {
    scene = await OnionScene.open(flavor!)
    const hash = execFileSync(flavor!.binary, ['--hash-password', PASSWORD, '--hush'], { encoding: 'utf8' }).trim().split('\n').at(-1)
    const lines = ['SocksPort 127.0.0.1:auto ExtendedErrors', `HashedControlPassword ${hash}`]
    const client = await scene.network.client('running', { lines })
    control = await client.daemon.control()
    controlPort = await client.daemon.controlPort()
    socksPort = client.socksPort
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  /** Only what attaching needs: the lines of the network are the running daemon's own. */
  const attach = (settings: Readonly<Record<string, unknown>>): void =>
    scene.configure({ torrc: undefined, binary: undefined, ...settings })
  const reached = async (address: string): Promise<string> => {
    const { process, port } = await scene.visit(address)
    const answer = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    await process.stop()
    return answer
  }
  const onions = async (): Promise<string> => `${await control.info('onions/current')}${await control.info('onions/detached')}`

  it.each([
    { how: 'by its cookie', settings: () => ({ tor_port: socksPort, control_port: controlPort }) },
    { how: 'by its password', settings: () => ({ control_port: controlPort, control_password: PASSWORD }) },
  ])('publishes and connects through it ($how) and leaves it as it was', async ({ settings }) => {
    attach(settings())
    const before = await control.info('config-text')
    const publication = await scene.publish(await scene.serve('through yours'))
    expect(await reached(publication.address)).toBe('through yours')
    expect((await publication.process.stop()).code).toBe(0)
    expect(await control.info('config-text')).toBe(before)
    expect(await onions()).toBe('')
  })

  it('says that the SOCKS and the control port are exchanged', async () => {
    attach({ tor_port: controlPort, control_port: socksPort })
    const { code } = await scene.start(3000).ended
    const { events } = await scene.scene.run(['3000', '--backend', 'tor'])
    expect(events.at(-1)).toMatchObject({
      event: 'error',
      message: expect.stringContaining('exchanged') as string,
      hint: expect.stringContaining(`tor_port: ${socksPort}`) as string,
    })
    expect(code).toBeGreaterThan(0)
  })

  it('says that a password is wrong', async () => {
    attach({ control_port: controlPort, control_password: 'another one' })
    const { code, events } = await scene.scene.run(['3000', '--backend', 'tor'])
    expect(code).toBe(1)
    expect(events.at(-1)).toMatchObject({ event: 'error', message: expect.stringMatching(/password/i) as string })
  })

  it('publishes again, under the same address, when the control connection is cut', async () => {
    const open = new Set<Socket>()
    // A way to the control port that can be cut.
    const middle = createServer((client) => {
      const far = connect(controlPort, '127.0.0.1')
      for (const [from, to] of [
        [client, far],
        [far, client],
      ] as const) {
        open.add(from)
        from.pipe(to)
        from.on('error', () => {}).on('close', () => to.destroy())
      }
    })
    const port = await scene.scene.serve(middle)
    attach({ control_port: port })
    const publication = await scene.publish(await scene.serve('still here'))
    for (const socket of open) socket.destroy()
    await publication.process.event('down')
    await publication.process.event('up')
    attach({ control_port: controlPort })
    expect(await reached(publication.address)).toBe('still here')
    await publication.process.stop('SIGKILL')
    await vi.waitFor(async () => expect(await onions()).toBe(''), 10_000)
  })
})
