/**
 * Asks Beam for a network that does not exist, and the mesh for addresses and names of hiding networks, with default settings otherwise:
 * nothing may be asked of another network instead. Prints one JSON document: exit codes, error codes, packets sent.
 */
import { beam } from './scenario-beam.mjs'
import { sentPackets } from './sent-packets.mjs'

const ONION = 'http://2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion'
const I2P = 'http://ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p'
const commands = [
  ['3000', '--backend', 'nonsense'],
  ['connect', ONION, '--backend', 'mesh'],
  ['connect', I2P, '--backend', 'mesh'],
  ['connect', 'example.onion', '--backend', 'mesh'],
]
const exitCodes = []
const codes = []
for (const command of commands) {
  const process = beam(...command)
  exitCodes.push(await process.closed)
  codes.push(process.events.findLast(({ event }) => event === 'error')?.code)
}
console.log(JSON.stringify({ exitCodes, codes, sent: sentPackets() }))
