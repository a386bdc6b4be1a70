import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'
import { MemoryNetwork } from '../../../core/testing/memory-network.ts'
import { connectTunnel } from '../../../core/tunnels/connect.ts'
import type { ConnectEvent, PublishEvent } from '../../../core/tunnels/events.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import { echoServer, handleOf, ManualClock, PuppetBackend } from './puppet-backend.ts'

const schema = JSON.parse(readFileSync(new URL('../../../schemas/events.schema.json', import.meta.url), 'utf8')) as object
const valid = new Ajv2020({ strict: false }).compile(schema)

it('every event that a tunnel tells is one that the schema describes', async () => {
  const network = new MemoryNetwork()
  const [hiding, second] = [new PuppetBackend('hiding', { network }), new PuppetBackend('second', { network })]
  const exposing = new PuppetBackend('exposing', { exposes: true })
  const clock = new ManualClock()
  const events: Array<PublishEvent | ConnectEvent> = []
  const onEvent = (event: PublishEvent | ConnectEvent): void => void events.push(event)
  const echo = await echoServer()
  await echo.close()
  const chain = [hiding, second, exposing].map(handleOf)
  const tunnel = await publishTunnel({
    target: { host: 'localhost', port: echo.port },
    chain,
    strategy: 'fallback',
    clock,
    onEvent,
    name: 'web',
  })
  const target = { address: tunnel.snapshot().endpoints[0]?.address ?? '', handle: handleOf(hiding), onEvent }
  const port = await connectTunnel({ ...target, host: '0.0.0.0' })
  hiding.say('down', 'gone')
  hiding.say('active', 'back')
  second.broken = 'no daemon'
  hiding.say('down', 'gone again')
  await clock.pass(10_000)
  second.broken = undefined
  // It does not come back, so that the other one has the time that its next attempt takes.
  hiding.broken = 'no daemon'
  await hiding.stopTunnel(tunnel.id)
  // The steps between two passes take real turns of the event loop, some more than others.
  const movedOn = async (): Promise<boolean> => {
    await clock.pass(10_000)
    return events.some(({ event }) => event === 'failover')
  }
  await expect.poll(movedOn, { timeout: 15_000, interval: 1 }).toBe(true)
  await port.stop('enough')
  await tunnel.stop()

  const wrong = events.filter((event) => !valid(JSON.parse(JSON.stringify(event))))
  expect(wrong).toEqual([])
  const kinds = new Set(events.map(({ event }) => event))
  expect([...kinds].toSorted()).toEqual(['address', 'down', 'failover', 'listening', 'progress', 'ready', 'stopped', 'up', 'warning'])
})
