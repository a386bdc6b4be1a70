import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough, type Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_DOOR_TOKENS, MAX_DOOR_TOKENS_PER_OWNER, SIDE_TOKEN_BYTES } from '../../../core/link/constants.ts'
import { readGreeting } from '../../../core/link/greeting.ts'
import { newSideToken, SideDoor } from '../../../core/link/index.ts'

const open: Array<() => unknown> = []
afterEach(() => {
  for (const close of open.splice(0).reverse()) close()
})

const take = (): void => {}

describe('a door', () => {
  it('lets each token in once', () => {
    const door = new SideDoor()
    const token = door.expect({ owner: 'a', take })
    expect(door.enter(newSideToken())).toBeUndefined()
    expect(door.enter(token)).toBe(take)
    expect(door.enter(token)).toBeUndefined()
    expect(door.waiting).toBe(0)
  })

  it('waits for a while, and tells who waited', async () => {
    const door = new SideDoor({ waitMs: 30 })
    let missed = 0
    const token = door.expect({ owner: 'a', take, missed: () => missed++ })
    await expect.poll(() => missed).toBe(1)
    expect(door.enter(token)).toBeUndefined()
  })

  it('tells nobody of what is forgotten, and everybody at its end', () => {
    const door = new SideDoor()
    const missed: string[] = []
    const forgotten = door.expect({ owner: 'a', take, missed: () => missed.push('forgotten') })
    door.expect({ owner: 'a', take, missed: () => missed.push('left') })
    door.forget(forgotten)
    door[Symbol.dispose]()
    expect(missed).toEqual(['left'])
  })

  it('refuses one who has many outstanding, and lets the oldest make room for others', () => {
    const door = new SideDoor()
    open.push(() => door[Symbol.dispose]())
    const missed: string[] = []
    const expectOf = (owner: string): Buffer => door.expect({ owner, take, missed: () => missed.push(owner) })
    for (let count = 0; count < MAX_DOOR_TOKENS_PER_OWNER; count++) expectOf('greedy')
    expect(() => expectOf('greedy')).toThrow(expect.objectContaining({ code: 'BEAM_ERR_RATE_LIMITED' }))
    for (let count = 0; count < MAX_DOOR_TOKENS - MAX_DOOR_TOKENS_PER_OWNER; count++) expectOf(`other ${count}`)
    expect(missed).toEqual([])
    expectOf('last')
    expect(missed).toEqual(['greedy'])
    expect(door.waiting).toBe(MAX_DOOR_TOKENS)
  })

  it('refuses a token that is expected already', () => {
    const door = new SideDoor()
    open.push(() => door[Symbol.dispose]())
    const token = door.expect({ owner: 'a', take })
    expect(() => door.expect({ owner: 'b', take }, token)).toThrow()
  })
})

describe('a greeting', () => {
  /** What became of a connection that sent these pieces: who got it, and what was still to be read then. */
  async function greet(door: SideDoor, pieces: readonly Uint8Array[]): Promise<{ to: string; rest: Buffer }> {
    const decided = new Promise<{ to: string; connection: Socket }>((resolve) => {
      const server = createServer((connection) => {
        connection.on('error', () => {})
        readGreeting(connection, door, {
          link: () => resolve({ to: 'link', connection }),
          side: () => resolve({ to: 'side', connection }),
        })
      })
      open.push(() => server.close())
      server.listen(0, '127.0.0.1', async () => {
        const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
        socket.setNoDelay(true)
        open.push(() => socket.destroy())
        for (const piece of pieces) {
          socket.write(piece)
          await wait(2)
        }
      })
    })
    const { to, connection } = await decided
    await wait(20)
    const through = connection.pipe(new PassThrough()) as Duplex
    await Promise.race([once(through, 'readable'), wait(100)])
    return { to, rest: (through.read() as Buffer | null) ?? Buffer.alloc(0) }
  }
  const each = (bytes: Uint8Array): Uint8Array[] => [...bytes].map((byte) => Uint8Array.of(byte))

  it('finds a token, whole and byte by byte, and leaves what follows', async () => {
    const door = new SideDoor()
    for (const pieces of [
      (token: Buffer) => [Buffer.concat([token, Buffer.from('after')])],
      (token: Buffer) => [...each(token), Buffer.from('after')],
    ]) {
      const { to, rest } = await greet(door, pieces(door.expect({ owner: 'a', take })))
      expect([to, rest.toString()]).toEqual(['side', 'after'])
    }
  })

  it('gives everything else to TLS with all its bytes', async () => {
    const door = new SideDoor()
    const strange = newSideToken()
    const almost = Buffer.from(door.expect({ owner: 'a', take }))
    almost.writeUInt8((almost.readUInt8(12) + 1) % 256, 12)
    open.push(() => door[Symbol.dispose]())
    for (const bytes of [Buffer.from([0x16, 3, 1, 0, 9]), Buffer.from('G'), almost.subarray(0, 13), Buffer.concat([strange, strange])]) {
      const { to, rest } = await greet(door, each(bytes))
      expect(to).toBe('link')
      expect(rest.length).toBeGreaterThan(0)
      expect(rest).toEqual(bytes.subarray(0, rest.length))
    }
  })

  it('has as many bytes as the preamble of a side channel, and never begins as TLS does', () => {
    for (let count = 0; count < 2000; count++) {
      const token = newSideToken()
      expect(token.length).toBe(SIDE_TOKEN_BYTES)
      expect(token[0]).not.toBe(0x16)
    }
  })
})
