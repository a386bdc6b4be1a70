/** Port Control Protocol (RFC 6887), MAP for TCP over IPv4, and what it grew out of: NAT-PMP (RFC 6886). */
import { randomBytes } from 'node:crypto'
import { askRouter } from './ask-router.ts'
import { RouterRefusal, type Granted, type PortRequest } from './granted.ts'
import type { Router } from './router.ts'

const TCP = 6
const PCP = { version: 2, map: 1, bytes: 60 } as const
const PMP = { version: 0, address: 0, mapTcp: 2 } as const
/** An answer's opcode is the question's, plus this. */
const ANSWER = 128
/** RFC 6887 section 7.4 and RFC 6886 section 3.5, as people can use them. */
const PCP_RESULTS = ['', 'version not supported', 'not authorized', 'malformed request', 'unsupported opcode', 'unsupported option']
const PMP_RESULTS = ['', 'version not supported', 'not authorized', 'network failure', 'out of resources', 'unsupported opcode']

/** Asks by PCP. The same nonce has to be used for one mapping as long as it lives. @throws RouterRefusal; the signal's reason */
export async function mapByPcp(router: Router, request: PortRequest, nonce: Buffer, signal: AbortSignal): Promise<Granted> {
  const ask = (lifetimeSeconds: number, suggested: number, by: AbortSignal): Promise<Omit<Granted, 'remove'>> =>
    askRouter(
      router,
      encodePcpMap({ ...request, lifetimeSeconds, suggested }, router.own, nonce),
      (answer) => decodePcpMap(answer, request.port, nonce),
      {
        signal: by,
      },
    )
  const granted = await ask(request.lifetimeSeconds, request.suggested, signal)
  return { ...granted, remove: async (by) => void (await ask(0, granted.port, by)) }
}

/** A nonce for a new mapping. */
export function pcpNonce(): Buffer {
  return randomBytes(12)
}

function encodePcpMap({ port, suggested, lifetimeSeconds }: PortRequest, own: string, nonce: Buffer): Buffer {
  const bytes = Buffer.alloc(PCP.bytes)
  bytes[0] = PCP.version
  bytes[1] = PCP.map
  bytes.writeUInt32BE(lifetimeSeconds, 4)
  mappedAddress(own).copy(bytes, 8)
  nonce.copy(bytes, 24)
  bytes[36] = TCP
  bytes.writeUInt16BE(port, 40)
  bytes.writeUInt16BE(suggested, 42)
  mappedAddress('0.0.0.0').copy(bytes, 44)
  return bytes
}

/** What an answer grants; undefined when it answers something else. @throws RouterRefusal */
export function decodePcpMap(answer: Buffer, port: number, nonce: Buffer): Omit<Granted, 'remove'> | undefined {
  if (answer.length < 4 || answer[1] !== ANSWER + PCP.map) {
    // A router that knows NAT-PMP only says so in its own form (RFC 6887 section 9).
    if (answer.length >= 4 && answer[0] === PMP.version) throw new RouterRefusal('version not supported')
    return undefined
  }
  const result = answer[3] ?? 0
  if (result !== 0) throw new RouterRefusal(PCP_RESULTS[result] ?? `refused (${result})`)
  if (answer.length < PCP.bytes || !answer.subarray(24, 36).equals(nonce) || answer[36] !== TCP || answer.readUInt16BE(40) !== port)
    return undefined
  const external = answer.subarray(44, 60)
  const host = external.subarray(0, 12).equals(mappedAddress('0.0.0.0').subarray(0, 12)) ? external.subarray(12).join('.') : ''
  return checked({ host, port: answer.readUInt16BE(42), lifetimeSeconds: answer.readUInt32BE(4) })
}

/** Asks by NAT-PMP. @throws RouterRefusal; the signal's reason */
export async function mapByPmp(router: Router, request: PortRequest, signal: AbortSignal): Promise<Granted> {
  const host = await askRouter(router, Buffer.from([PMP.version, PMP.address]), decodePmpAddress, { signal })
  const ask = (lifetimeSeconds: number, suggested: number, by: AbortSignal): Promise<{ port: number; lifetimeSeconds: number }> =>
    askRouter(router, encodePmpMap({ ...request, lifetimeSeconds, suggested }), (answer) => decodePmpMap(answer, request.port), {
      signal: by,
    })
  const granted = await ask(request.lifetimeSeconds, request.suggested, signal)
  return { ...checked({ host, ...granted }), remove: async (by) => void (await ask(0, 0, by)) }
}

function encodePmpMap({ port, suggested, lifetimeSeconds }: PortRequest): Buffer {
  const bytes = Buffer.alloc(12)
  bytes[1] = PMP.mapTcp
  bytes.writeUInt16BE(port, 4)
  bytes.writeUInt16BE(suggested, 6)
  bytes.writeUInt32BE(lifetimeSeconds, 8)
  return bytes
}

/** @throws RouterRefusal */
export function decodePmpAddress(answer: Buffer): string | undefined {
  if (!isPmpAnswer(answer, PMP.address) || answer.length < 12) return undefined
  return answer.subarray(8, 12).join('.')
}

/** @throws RouterRefusal */
export function decodePmpMap(answer: Buffer, port: number): { port: number; lifetimeSeconds: number } | undefined {
  if (!isPmpAnswer(answer, PMP.mapTcp) || answer.length < 16 || answer.readUInt16BE(8) !== port) return undefined
  return { port: answer.readUInt16BE(10), lifetimeSeconds: answer.readUInt32BE(12) }
}

function isPmpAnswer(answer: Buffer, opcode: number): boolean {
  if (answer.length < 4 || answer[0] !== PMP.version || answer[1] !== ANSWER + opcode) return false
  const result = answer.readUInt16BE(2)
  if (result !== 0) throw new RouterRefusal(PMP_RESULTS[result] ?? `refused (${result})`)
  return true
}

/** A mapping that was given back has no port and no life, and is as good as any; whoever asked for one looks at the port. */
function checked(granted: Omit<Granted, 'remove'>): Omit<Granted, 'remove'> {
  if (granted.lifetimeSeconds > 0 && granted.port === 0) throw new RouterRefusal('it granted no port')
  return granted
}

function mappedAddress(ipv4: string): Buffer {
  return Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), Buffer.from(ipv4.split('.').map(Number))])
}
