/** UPnP Internet Gateway Device, versions 1 and 2: search, description, and the actions of its WAN connection. */
import { createSocket } from 'node:dgram'
import { randomInt } from 'node:crypto'
import { request } from 'node:http'
import { isIPv4 } from 'node:net'
import { RouterRefusal, type Granted, type PortRequest } from './granted.ts'
import type { Router } from './router.ts'

/** Devices answer within the MX second; the search is repeated, since it goes by UDP. */
const SEARCH_EVERY_MS = 1_000
const SEARCHES = 3
/** A description is some 10 KB, an answer 1 KB. */
const MAX_TEXT = 64 << 10
const ASK_LIMIT_MS = 3_000
const DEVICES = ['urn:schemas-upnp-org:device:InternetGatewayDevice:1', 'urn:schemas-upnp-org:device:InternetGatewayDevice:2']
const CONNECTIONS = /urn:schemas-upnp-org:service:WAN(?:IP|PPP)Connection:[12]/
/** Errors of the actions (WANIPConnection:2, table 2-8): leases without end only; the port is somebody else's. */
const ONLY_PERMANENT = '725'
const CONFLICT = '718'
/** Ports that are tried when the wished one is taken. */
const TRIES = 4

/** Where the actions of a gateway are asked for. */
interface Control {
  readonly url: URL
  readonly service: string
}

/** Asks by UPnP. @throws RouterRefusal; the signal's reason */
export async function mapByUpnp(router: Router, asked: PortRequest, signal: AbortSignal): Promise<Granted> {
  const control = await controlOf(await search(router, signal), router, signal)
  const run = (action: string, values: Readonly<Record<string, string | number>>, by: AbortSignal): Promise<string> =>
    act(control, router, { action, values, signal: by })
  const host = elementOf(await run('GetExternalIPAddress', {}, signal), 'NewExternalIPAddress')
  if (!isIPv4(host)) throw new RouterRefusal('it knows no address of its own')
  let port = asked.suggested
  let lease = asked.lifetimeSeconds
  const outside = (): Record<string, string | number> => ({ NewRemoteHost: '', NewExternalPort: port, NewProtocol: 'TCP' })
  for (let tries = 1; ; tries++) {
    const values = {
      ...outside(),
      NewInternalPort: asked.port,
      NewInternalClient: router.own,
      NewEnabled: 1,
      NewPortMappingDescription: 'Beam',
      NewLeaseDuration: lease,
    }
    try {
      await run('AddPortMapping', values, signal)
      break
    } catch (error) {
      const code = error instanceof UpnpError ? error.code : ''
      if (tries >= TRIES || (code !== ONLY_PERMANENT && code !== CONFLICT)) throw error
      if (code === ONLY_PERMANENT) lease = 0
      else port = randomInt(20_000, 60_000)
    }
  }
  // A lease without end is asked for again like others: the router may be restarted.
  return {
    host,
    port,
    lifetimeSeconds: lease === 0 ? asked.lifetimeSeconds : lease,
    remove: async (by) => void (await run('DeletePortMapping', outside(), by)),
  }
}

/** The place of the description that the router itself answers with: neither another device's answer counts, nor a place elsewhere. */
function search(router: Router, signal: AbortSignal): Promise<URL> {
  const { host, port } = router.search
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    let searches = 0
    let timer: NodeJS.Timeout | undefined
    let ended = false
    const end = (act: () => void): void => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.close()
      act()
    }
    const onAbort = (): void => end(() => reject(signal.reason))
    const send = (): void => {
      if (searches++ >= SEARCHES) return end(() => reject(new RouterRefusal('no answer')))
      for (const device of DEVICES) {
        const lines = ['M-SEARCH * HTTP/1.1', 'HOST: 239.255.255.250:1900', 'MAN: "ssdp:discover"', 'MX: 1', `ST: ${device}`, '', '']
        socket.send(lines.join('\r\n'), port, host, (error) => error !== null && fail(error))
      }
      timer = setTimeout(send, SEARCH_EVERY_MS)
    }
    const fail = (error: Error): void => end(() => reject(new RouterRefusal(`no search (${error.message})`)))
    socket.on('error', fail)
    socket.on('message', (answer, { address }) => {
      if (address !== router.address) return
      const found = locationOf(answer.toString('latin1'))
      if (found?.hostname === router.address) end(() => resolve(found))
    })
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.bind(0, router.own, () => {
      socket.setMulticastTTL(2)
      send()
    })
  })
}

/** The LOCATION of an answer to a search; undefined when it is none. */
export function locationOf(answer: string): URL | undefined {
  const location = /^HTTP\/1\.1 200[\s\S]*?^location:[ \t]*(http:\S{1,500})\s*$/im.exec(answer)?.[1]
  return location !== undefined && URL.canParse(location) ? new URL(location) : undefined
}

async function controlOf(location: URL, router: Router, signal: AbortSignal): Promise<Control> {
  const description = await ask(location, router, { signal })
  const control = controlIn(description, location)
  if (control === undefined) throw new RouterRefusal('it has no connection to the world')
  return control
}

/** The first connection to the world in a description, at the place that described it. */
export function controlIn(description: string, location: URL): Control | undefined {
  for (const part of description.split('<service>').slice(1)) {
    const service = CONNECTIONS.exec(elementOf(part, 'serviceType'))?.[0]
    const path = elementOf(part, 'controlURL')
    if (service === undefined || path === '' || !URL.canParse(path, location.href)) continue
    const url = new URL(path, location)
    if (url.host === location.host && url.protocol === 'http:') return { url, service }
  }
  return undefined
}

class UpnpError extends RouterRefusal {
  readonly code: string

  constructor(code: string, description: string) {
    super(`${description.slice(0, 80) || 'refused'} (${code})`)
    this.code = code
  }
}

async function act(
  { url, service }: Control,
  router: Router,
  { action, values, signal }: { action: string; values: Readonly<Record<string, string | number>>; signal: AbortSignal },
): Promise<string> {
  const fields = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`)
  const body =
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action} xmlns:u="${service}">${fields.join('')}</u:${action}></s:Body></s:Envelope>`
  return ask(url, router, { signal, body, headers: { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${service}#${action}"` } })
}

/** One exchange over HTTP with the router. */
function ask(
  url: URL,
  { own }: Router,
  { signal, body, headers }: { signal: AbortSignal; body?: string; headers?: Record<string, string> },
): Promise<string> {
  const stopped = AbortSignal.any([signal, AbortSignal.timeout(ASK_LIMIT_MS)])
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(signal.aborted ? signal.reason : new RouterRefusal(`no answer (${error.message})`))
    const sent = request(url, {
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
      localAddress: own,
      signal: stopped,
      headers: { ...headers },
    })
    sent.on('error', fail)
    sent.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('error', fail)
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > MAX_TEXT) sent.destroy(new Error('its answer has no end'))
      })
      response.on('end', () => {
        if (response.statusCode === 200) return resolve(text)
        reject(new UpnpError(elementOf(text, 'errorCode') || String(response.statusCode), elementOf(text, 'errorDescription')))
      })
    })
    sent.end(body)
  })
}

/** The text of an element; empty when it is not there. Descriptions and answers nest no two elements of these names. */
function elementOf(xml: string, name: string): string {
  const start = xml.indexOf(`<${name}>`)
  const end = start < 0 ? -1 : xml.indexOf(`</${name}>`, start)
  return end < 0 ? '' : xml.slice(start + name.length + 2, end).trim()
}
