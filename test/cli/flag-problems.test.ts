import { expect, it } from 'vitest'
import { inFlags } from '../../cli/flag-problems.ts'
import { InvalidConfigError } from '../../config/problem.ts'
import { beam, temporaryFolder } from './beam-process.ts'

it('names the flag that was typed, not the variable that it stands for', async () => {
  await using folder = await temporaryFolder()
  const flag = await beam(['3000', '--p2p-bootstrap', 'nohost'], folder.path)
  expect(flag).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^Error --p2p-bootstrap: p2p\.bootstrap\[0\]: "nohost" is not allowed/),
  })
  const variable = await beam(['3000'], folder.path, { BEAM_P2P_BOOTSTRAP: 'nohost' })
  expect(variable).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Error BEAM_P2P_BOOTSTRAP: p2p\.bootstrap\[0\]/) })
})

it.each([
  ['BEAM_I2P_SAM_PORT', '--i2p-sam-port'],
  ['BEAM_P2P_MDNS', '--p2p-discovery'],
  ['BEAM_P2P_RENDEZVOUS', '--rendezvous'],
])('%s is %s', (variable, flag) => {
  const error = new InvalidConfigError([{ variable, path: 'a.b', message: 'wrong' }])
  expect(inFlags(error, { [variable]: 'x' })).toMatchObject({ message: `${flag}: a.b: wrong` })
  expect(inFlags(error, {})).toMatchObject({ message: `${variable}: a.b: wrong` })
  expect(inFlags('another', { [variable]: 'x' })).toBe('another')
})
