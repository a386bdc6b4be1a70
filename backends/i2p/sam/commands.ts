/** The lines that are sent, without I/O. None of them may be logged: some hold private keys. */
import { InternalError } from '../../../core/index.ts'
import { ED25519 } from '../constants.ts'

/** i2pd 2.45 answers `NOVERSION` to a range that starts above 3.1; later ones take 3.1 too. */
export const HELLO = 'HELLO VERSION MIN=3.1 MAX=3.3'

/** SAM's default would be DSA. */
export const DEST_GENERATE = `DEST GENERATE SIGNATURE_TYPE=${ED25519}`

/** @param key - the private key in base64; absent for one of the moment */
export function sessionCreate(id: string, key: string | undefined, options: ReadonlyMap<string, string>): string {
  const destination = key === undefined ? `TRANSIENT SIGNATURE_TYPE=${ED25519}` : word(key)
  const rest = [...options].map(([name, value]) => ` ${word(name)}=${word(value)}`).join('')
  return `SESSION CREATE STYLE=STREAM ID=${word(id)} DESTINATION=${destination}${rest}`
}

/** Visitors' streams come to a port on the address that this connection comes from. Their first line says who they are. */
export function streamForward(id: string, port: number): string {
  return `STREAM FORWARD ID=${word(id)} PORT=${port} SILENT=false`
}

export function streamConnect(id: string, destination: string): string {
  return `STREAM CONNECT ID=${word(id)} DESTINATION=${word(destination)} SILENT=false`
}

export function namingLookup(name: string): string {
  return `NAMING LOOKUP NAME=${word(name)}`
}

/** A blank or a line end inside of a value would be another command, and the router ends sessions for unknown ones. */
function word(value: string): string {
  if (/^[^\s"\\]+$/.test(value)) return value
  throw new InternalError('A value for SAM holds what it must not.')
}
