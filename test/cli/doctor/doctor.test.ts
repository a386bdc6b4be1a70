import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pc from 'picocolors'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { daemonChecks, DAEMONS, findProgram, runBriefly, versionIn } from '../../../cli/doctor/daemons.ts'
import { dhtCheck, dhtSetting } from '../../../cli/doctor/dht.ts'
import { examine, type Check, type Finding } from '../../../cli/doctor/finding.ts'
import { folderState, nodeState, openFilesState } from '../../../cli/doctor/machine.ts'
import { isFatal, reportText } from '../../../cli/doctor/report.ts'
import { socketChecks } from '../../../cli/doctor/sockets.ts'
import { startDhtTestnet } from '../../helpers/dht-testnet.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function program(name: string, script: string): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  return file
}

describe('examine', () => {
  const check = (run: Check['run'], deadlineMs = 1_000): Check => ({ group: 'machine', id: 'x', title: 'X', deadlineMs, run })

  it('takes a failure for a finding', async () => {
    expect(await examine(check(() => Promise.reject(new Error('no such thing'))))).toMatchObject({
      state: 'broken',
      detail: 'no such thing',
      id: 'x',
    })
  })

  it('does not wait for what never answers', async () => {
    expect(await examine(check(() => new Promise(() => {}), 30))).toMatchObject({ state: 'broken', detail: 'no answer within 0.03 s' })
  })
})

describe('the machine', () => {
  it('must have a Node that is new enough', () => {
    expect(nodeState('20.18.3').state).toBe('broken')
    for (const version of ['20.19.0', '22.0.0', '24.1.1']) expect(nodeState(version).state).toBe('ok')
  })

  it('is limited by few open files', () => {
    expect(openFilesState('1024')).toMatchObject({ state: 'limited', detail: '1024: about 512 connections at once' })
    expect(openFilesState('unlimited').state).toBe('ok')
  })

  it('has folders that are there, can be made, or are out of order', async () => {
    const uid = process.getuid?.()
    const open = join(folder, 'open')
    mkdirSync(open)
    chmodSync(open, 0o755)
    writeFileSync(join(folder, 'file'), '')
    expect((await folderState(join(folder, 'not', 'yet'), uid)).detail).toContain('made on first use')
    expect(await folderState(open, uid)).toMatchObject({ state: 'limited', advice: `chmod 700 ${open}` })
    expect((await folderState(join(folder, 'file'), uid)).state).toBe('broken')
    expect((await folderState(open, 12_345)).detail).toContain('another user')
    chmodSync(open, 0o700)
    expect(await folderState(open, uid)).toEqual({ state: 'ok', detail: open })
  })
})

describe('sockets', () => {
  it('are tried for real, on this machine only', async () => {
    const findings = await Promise.all(socketChecks({ BEAM_P2P_MDNS: 'loopback' }).map(examine))
    const state = Object.fromEntries(findings.map(({ id, state: found }) => [id, found]))
    expect(state).toMatchObject({ tcp: 'ok', udp: 'ok' })
    expect(['ok', 'limited']).toContain(state['multicast'])
  })

  it('leave multicast alone when it is switched off', async () => {
    const [multicast] = socketChecks({ BEAM_P2P_MDNS: 'off' }).filter(({ id }) => id === 'multicast')
    expect(await examine(multicast as Check)).toMatchObject({ state: 'off' })
  })
})

describe('the DHT', () => {
  it('is set by BEAM_P2P_BOOTSTRAP', () => {
    expect(dhtSetting(undefined)).toEqual({ use: 'public' })
    expect(dhtSetting(' None ')).toEqual({ use: 'none' })
    expect(dhtSetting('a.example:1, 127.0.0.1:2')).toEqual({ use: 'own', nodes: ['a.example:1', '127.0.0.1:2'] })
    expect(dhtSetting('')).toEqual({ use: 'wrong', node: '' })
    expect(dhtSetting('host')).toEqual({ use: 'wrong', node: 'host' })
  })

  it('is off, not asked or wrong without a packet', async () => {
    expect(await examine(dhtCheck({ use: 'none' }, true))).toMatchObject({ state: 'off' })
    expect(await examine(dhtCheck({ use: 'public' }, false))).toMatchObject({ state: 'off', advice: 'To try it: beam doctor --dht' })
    expect(await examine(dhtCheck({ use: 'wrong', node: 'x' }, true))).toMatchObject({ state: 'broken' })
  })

  it('that answers is counted, and one that does not is told within the deadline', async () => {
    const testnet = await startDhtTestnet(4)
    const setting = { use: 'own', nodes: testnet.bootstrap } as const
    try {
      expect(await examine(dhtCheck(setting, true))).toMatchObject({
        state: 'ok',
        detail: expect.stringMatching(/^\d+ nodes? answers? through 127/),
      })
    } finally {
      await testnet.close()
    }
    expect(await examine(dhtCheck(setting, true))).toMatchObject({ state: 'limited' })
  })
})

describe('daemons', () => {
  it('are found on the search path, in order, when they may be run', async () => {
    const file = program('second', 'true')
    writeFileSync(join(folder, 'first'), 'no program')
    expect(await findProgram(['first', 'second'], `/nonexistent:${folder}`)).toBe(file)
    expect(await findProgram(['third'], folder)).toBeUndefined()
    expect(await findProgram(['second'], '')).toBeUndefined()
  })

  it.each([
    ['Tor version 0.4.8.10.\nThis build of Tor …', '0.4.8.10'],
    ['i2pd version 2.54.0 (0.9.63)', '2.54.0'],
    ['openjdk version "17.0.15" 2025-04-15', '17.0.15'],
    ['BIRD version 2.0.12', '2.0.12'],
    ['wireguard-tools v1.0.20210914 - https://…', '1.0.20210914'],
    ['nym-client 1.1.50-rc.2\n', '1.1.50-rc.2'],
    ['no version here', undefined],
  ])('say their version: %s', (output, version) => expect(versionIn(output)).toBe(version))

  it('are read on both streams, and stopped when they start to work instead', async () => {
    expect(await runBriefly(program('errs', 'echo "v1.2" >&2; exit 1'), [])).toContain('v1.2')
    expect(await runBriefly(program('runs', 'exec sleep 30'), [], 50)).toBeUndefined()
  })

  it.each([
    ['0.3.5.7', 'limited', 'too old: Beam needs 0.4.6'],
    ['0.4.7.16', 'limited', 'no longer looks after it'],
    ['0.4.8.10', 'ok', '0.4.8.10'],
    ['0.10.0', 'ok', '0.10.0'],
  ])('of version %s are %s', async (version, state, detail) => {
    program('tor', `echo "Tor version ${version}."`)
    const tor = daemonChecks({ PATH: '' }, [folder]).find(({ id }) => id === 'tor')
    expect(await examine(tor as Check)).toMatchObject({ state, detail: expect.stringContaining(detail) as string })
  })

  it('that are missing are absent with a way to get them, and no fault', async () => {
    program('tor', 'echo "Tor version 9.8.7."')
    const findings = await Promise.all(daemonChecks({ PATH: folder }, []).map(examine))
    expect(findings).toHaveLength(DAEMONS.length)
    expect(findings.find(({ id }) => id === 'tor')).toMatchObject({ state: 'ok', detail: '9.8.7' })
    expect(findings.find(({ id }) => id === 'i2pd')).toMatchObject({ state: 'absent', advice: expect.stringContaining('i2pd') })
    expect(findings.some(isFatal)).toBe(false)
  })
})

describe('reportText', () => {
  const finding = (state: Finding['state'], essential = false): Finding => ({
    group: 'machine',
    id: 'x',
    title: 'Thing',
    state,
    detail: 'what was seen '.repeat(12).trim(),
    advice: 'Do this.',
    essential,
  })

  it('fits 80 columns and says what to do', () => {
    const text = reportText([finding('ok'), finding('limited'), finding('absent')], 80, pc.createColors(false))
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(text).toContain('→ Do this.')
    expect(text).toContain('Beam works on this machine, with one limit')
  })

  it('tells that Beam cannot work only when something essential is broken', () => {
    const paint = pc.createColors(false)
    expect(reportText([finding('broken', true)], 80, paint)).toContain('Beam cannot work here: Thing.')
    expect(reportText([finding('broken')], 80, paint)).toContain('with one limit')
    expect(reportText([finding('ok')], 80, paint)).toContain('Beam works on this machine.')
  })

  it('can be read without colours', () => {
    const states = ['ok', 'limited', 'broken', 'off', 'absent'] as const
    const marks = states.map((state) => /^ {2}(\S) Thing/m.exec(reportText([finding(state)], 80, pc.createColors(false)))?.[1])
    expect(marks).not.toContain(undefined)
    expect(new Set(marks).size).toBe(5)
  })
})
