import { createServer as createHttpServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

let scene: Scene
let service: number
beforeEach(async () => {
  scene = await Scene.open()
  service = await scene.serve(createHttpServer((_, response) => void response.end('in')))
})
afterEach(() => scene[Symbol.asyncDispose]())

const get = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text()
const codes = (events: readonly Record<string, unknown>[]): unknown[] =>
  events.filter(({ event }) => event === 'error').map(({ code }) => code)

describe('who may visit', () => {
  it('is who shows an allowed key: nobody else, and not without showing it', async () => {
    const [friend, stranger] = [scene.home('friend'), scene.home('stranger')]
    const key = await scene.visitorKey(friend)
    const { direct } = await scene.publish(service, ['--allow', key])
    const [anonymous, other, visit] = await Promise.all([
      scene.run(['connect', direct], friend),
      scene.run(['connect', direct, '--identify'], stranger),
      scene.visit(direct, ['--identify'], friend),
    ])
    expect({ anonymous: anonymous.code, other: other.code }).toEqual({ anonymous: 1, other: 1 })
    expect([...codes(anonymous.events), ...codes(other.events)]).toEqual(['BEAM_ERR_ACCESS_DENIED', 'BEAM_ERR_ACCESS_DENIED'])
    expect(await get(visit.port)).toBe('in')
  })

  it('is who knows the secret word and has an allowed key, where both are asked for', async () => {
    const friend = scene.home('friend')
    const key = await scene.visitorKey(friend)
    const { direct } = await scene.publish(service, ['--allow', key], { BEAM_SECRET: 'open sesame' })
    const [wordless, keyless, visit] = await Promise.all([
      scene.run(['connect', direct, '--identify'], friend),
      scene.run(['connect', direct], { ...friend, BEAM_SECRET: 'open sesame' }),
      scene.visit(direct, ['--identify'], { ...friend, BEAM_SECRET: 'open sesame' }),
    ])
    expect([wordless.code, keyless.code]).toEqual([1, 1])
    expect([...codes(wordless.events), ...codes(keyless.events)]).toEqual(['BEAM_ERR_ACCESS_DENIED', 'BEAM_ERR_ACCESS_DENIED'])
    expect(await get(visit.port)).toBe('in')
  })
})

describe('beam://key@host:port', () => {
  it('needs no discovery, and says so when another key or something else answers there', async () => {
    // On all addresses of this machine, as by default; elsewhere tests listen on loopback's first.
    const all = { BEAM_P2P_HOST: '::' }
    const [first, second] = await Promise.all([scene.publish(service, [], all), scene.publish(service)])
    const elsewhere = scene.home('elsewhere')
    const [place] = second.direct.split('@').slice(1)
    const [visit, six, unknown, wrong, noBeam, nobody] = await Promise.all([
      scene.visit(first.direct, [], elsewhere),
      scene.visit(first.direct.replace('127.0.0.1', '[::1]'), [], elsewhere),
      scene.run(['connect', first.address], elsewhere),
      scene.run(['connect', `${first.address}@${place}`], elsewhere),
      scene.run(['connect', `${first.address}@127.0.0.1:${service}`], elsewhere),
      scene.run(['connect', `${first.address}@127.0.0.1:1`], elsewhere),
    ])
    expect(await get(visit.port)).toBe('in')
    expect(await get(six.port)).toBe('in')
    expect([unknown, wrong, noBeam, nobody].map(({ code }) => code)).toEqual([1, 1, 1, 1])
    expect(codes(unknown.events)).toEqual(['BEAM_ERR_NOT_FOUND'])
    expect(codes(wrong.events)).toEqual(['BEAM_ERR_KEY_MISMATCH'])
    expect(codes(noBeam.events)).toEqual(['BEAM_ERR_PEER_UNREACHABLE'])
    expect(codes(nobody.events)).toEqual(['BEAM_ERR_PEER_UNREACHABLE'])
  })
})
