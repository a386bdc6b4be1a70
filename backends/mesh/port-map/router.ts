import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'

/** The router of this machine, as far as it can be asked for a port. */
export interface Router {
  /** Its address in the local network, and that of this machine towards it. */
  readonly address: string
  readonly own: string
  /** Where PCP and NAT-PMP are answered (RFC 6886 section 1.1, RFC 6887 section 19.1: 5351). */
  readonly pcpPort: number
  /** Where UPnP devices are searched (UPnP Device Architecture 1.1, section 1.3.2: 239.255.255.250:1900). */
  readonly search: { readonly host: string; readonly port: number }
}

const PCP_PORT = 5351
const SEARCH = { host: '239.255.255.250', port: 1900 }
/** A program of the system that prints its routes answers in milliseconds; its table is a few KB. */
const ROUTES_LIMIT = { timeout: 3_000, maxBuffer: 256 << 10, windowsHide: true }

/** The router behind the default route; undefined when there is none, or when it is reached over IPv6 only. */
export async function findRouter(): Promise<Router | undefined> {
  const address = await defaultGateway()
  if (address === undefined) return undefined
  const own = await ownAddressTowards(address)
  return own === undefined ? undefined : { address, own, pcpPort: PCP_PORT, search: SEARCH }
}

async function defaultGateway(): Promise<string | undefined> {
  if (process.platform === 'linux') return gatewayOfProc(await readFile('/proc/net/route', 'latin1').catch(() => ''))
  if (process.platform === 'win32') return gatewayOfRoutePrint(await printed('route', ['print', '-4', '0.0.0.0']))
  return gatewayOfRouteGet(await printed('route', ['-n', 'get', 'default']))
}

/** From Linux's table: the default route of the lowest metric. Addresses stand there in the byte order of the machine. */
export function gatewayOfProc(table: string): string | undefined {
  const routes = table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([, destination, gateway, , , , , mask]) => destination === '00000000' && mask === '00000000' && gateway !== '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]))
  const bytes = /^[0-9A-F]{8}$/i.test(routes[0]?.[2] ?? '') ? Buffer.from(routes[0]?.[2] ?? '', 'hex').reverse() : undefined
  return bytes?.join('.')
}

/** From `route -n get default` of macOS and the BSDs. */
export function gatewayOfRouteGet(text: string): string | undefined {
  const gateway = /^\s*gateway:\s*(\S+)/m.exec(text)?.[1] ?? ''
  return isIPv4(gateway) ? gateway : undefined
}

/** From `route print -4 0.0.0.0` of Windows: network, mask, gateway, interface, metric. Its words differ by language, its numbers do not. */
export function gatewayOfRoutePrint(text: string): string | undefined {
  const routes = [...text.matchAll(/^\s*0\.0\.0\.0\s+0\.0\.0\.0\s+([\d.]+)\s+[\d.]+\s+(\d+)\s*$/gm)]
  const gateway = routes.sort((a, b) => Number(a[2]) - Number(b[2]))[0]?.[1] ?? ''
  return isIPv4(gateway) ? gateway : undefined
}

function printed(program: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, words, ROUTES_LIMIT, (error, stdout) => resolve(error === null ? stdout : ''))
  })
}

/** The system decides; nothing is sent. */
async function ownAddressTowards(host: string): Promise<string | undefined> {
  const socket = createSocket('udp4')
  try {
    socket.connect(PCP_PORT, host)
    await once(socket, 'connect')
    return socket.address().address
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}
