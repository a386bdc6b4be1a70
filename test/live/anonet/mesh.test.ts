import { describe, expect, it } from 'vitest'
import { play, requireMesh } from './play.ts'

const namespace = requireMesh()
const LIMIT_MS = 240_000
/** With BFD at 3 × 100 ms an outage takes a third of a second; a busy machine may take longer to notice. */
const MOST_OUTAGE_MS = 2_000

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

describe.runIf(namespace)('a mesh of friends that Beam keeps', () => {
  it(
    'reaches a service two friends away, survives a dead link, ends with a friendship, and leaves nothing',
    { timeout: LIMIT_MS },
    async () => {
      const report = await play<{ outageMs?: number } & Record<string, unknown>>(namespace!, 'ring-scenario.mjs', LIMIT_MS)
      process.stdout.write(`a link died without a word: traffic was back after ${String(report.outageMs)} ms\n`)
      expect(report).toEqual({
        page: 'the service of A',
        keysShown: null,
        throughFriend: true,
        outageMs: expect.any(Number) as number,
        lostVisits: expect.any(Number) as number,
        revoked: { friendsOfA: ['D'], seenByB: false },
        pageAfterRevoke: 'the service of A',
        before: { inside: true, wireguard: expect.any(Number) as number },
        exitCodes: [0, 0, 0],
        left: { interfaces: { A: ['A-B', 'A-D', 'lo'], B: ['B-A', 'B-C', 'lo'], C: ['C-B', 'C-D', 'lo'], D: ['D-A', 'D-C', 'lo'] } },
      })
      expect(report.outageMs).toBeLessThan(MOST_OUTAGE_MS)
    },
  )

  it('believes of a friend what is his and what he carries, and nothing else', { timeout: LIMIT_MS }, async () => {
    expect(await play(namespace!, 'filters-scenario.mjs', LIMIT_MS)).toEqual({
      transit: { believed: ['21.2.0.0/24', '21.2.0.7/32', '21.51.0.0/24', '21.61.0.0/24'], refused: 10 },
      ownOnly: { believed: ['21.2.0.0/24', '21.2.0.7/32'], refused: 12 },
    })
  })
})

describe.runIf(namespace)('several Beams of one user', () => {
  it('share a mesh, and it goes on when the one that kept it is killed', { timeout: LIMIT_MS }, async () => {
    expect(await play(namespace!, 'guest-scenario.mjs', LIMIT_MS)).toEqual({
      asGuest: 'as a guest',
      fromGuest: 'from a guest',
      friends: [true],
      takenOver: true,
      left: '0',
    })
  })
})

describe.runIf(namespace)('an ordinary user', () => {
  it('has a mesh too, and is told what is missing', { timeout: LIMIT_MS }, async () => {
    expect(await play(namespace!, 'rootless-scenario.mjs', LIMIT_MS)).toEqual({
      twoBeams: { user: 1000, uplink: 'relayed', friends: 1, intact: true, again: 'again', left: '' },
      portTaken: {
        code: 'BEAM_ERR_PORT_IN_USE',
        message: expect.stringMatching(/^UDP port 51820, at which .+ reaches you, is taken by another process\.$/) as string,
        hint: expect.stringContaining('ss -lupn') as string,
      },
      noTun: {
        code: 'BEAM_ERR_BACKEND_UNAVAILABLE',
        message: '/dev/net/tun is not open to you (EACCES).',
        hint: 'This grants it: sudo chmod 666 /dev/net/tun',
      },
    })
  })
})

describe.runIf(namespace)('a mesh of friends that was there before', () => {
  it('is attached to, told of a service while it is published, and left as it was', { timeout: LIMIT_MS }, async () => {
    const report = await play<Record<string, unknown> & { taken: Ended; errors: Record<string, Ended> }>(
      namespace!,
      'attach-scenario.mjs',
      LIMIT_MS,
    )
    const { taken, errors, ...rest } = report
    expect(rest).toEqual({
      address: 'http://21.1.0.1:3000',
      listens: ['127.0.0.1:3000', '21.1.0.1:3000'],
      page: 'for 127.0.0.1:8080',
      status: {
        mode: 'attach',
        sessions: [{ name: 'p_B', established: true, info: 'Established' }],
        wireguard: expect.arrayContaining(['wAB']) as string[],
        announcedByBeam: false,
      },
      handshake: true,
      keysShown: null,
      sources: { B: 'for 21.1.0.1:3100', C: '' },
      exitCodes: [0, 0],
      announced: { files: ['beam-21-7-0-1-32.conf'], page: 'for 21.7.0.1:3000' },
      withdrawn: [],
      leftByTheKilled: ['beam-21-7-0-1-32.conf'],
      afterTheNext: [],
    })
    expect(taken).toMatchObject({ code: 1, stderr: expect.stringMatching(/Port 3100 at 21\.1\.0\.1 is taken/) as string })
    expect(errors['noAddress']?.stderr).toMatch(
      /21\.9\.9\.9 is no address of this machine[\s\S]*sudo ip address add 21\.9\.9\.9\/32 dev lo/,
    )
    expect(errors['several']?.stderr).toMatch(/several addresses in the mesh: 21\.1\.0\.1, 21\.7\.0\.1/)
    expect(errors['noBird']?.stderr).toMatch(/control socket \/nowhere\/bird\.ctl is not there/)
    expect(Object.values(errors).map(({ code }) => code)).toEqual([1, 1, 1])
  })
})
