import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RouterRefusal } from '../../../../backends/mesh/port-map/granted.ts'
import { decodePcpMap, decodePmpAddress, decodePmpMap, pcpNonce } from '../../../../backends/mesh/port-map/pcp.ts'
import { needsPortMap, PortMap, type PortMapState } from '../../../../backends/mesh/port-map/port-map.ts'
import { gatewayOfProc, gatewayOfRouteGet, gatewayOfRoutePrint } from '../../../../backends/mesh/port-map/router.ts'
import { controlIn, locationOf } from '../../../../backends/mesh/port-map/upnp.ts'
import { silentLogger, systemClock } from '../../../../core/index.ts'
import { fakeRouter, type FakeAnswers } from './fake-router.ts'

const PORT = 4_001

/** A router that speaks PCP (version 2), or says in the way of NAT-PMP that it does not. */
function pcpRouter(log: string[], external = '44.0.0.11'): FakeAnswers {
  return {
    pcp(question) {
      const lifetime = question.readUInt32BE(4)
      log.push(`pcp ${lifetime > 0 ? 'map' : 'delete'} ${question.readUInt16BE(40)}`)
      const answer = Buffer.from(question)
      answer[1] = 129
      answer[3] = 0
      answer.writeUInt16BE(lifetime > 0 ? 45_000 : 0, 42)
      Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...external.split('.').map(Number)]).copy(answer, 44)
      return answer
    },
  }
}

function pmpRouter(log: string[]): FakeAnswers {
  return {
    pcp(question) {
      if (question[0] === 2) return Buffer.from([0, 129, 0, 1, 0, 0, 0, 0])
      if (question[1] === 0) return Buffer.from([0, 128, 0, 0, 0, 0, 0, 9, 44, 0, 0, 11])
      const lifetime = question.readUInt32BE(8)
      log.push(`nat-pmp ${lifetime > 0 ? 'map' : 'delete'} ${question.readUInt16BE(4)}`)
      const answer = Buffer.alloc(16)
      answer[1] = 130
      question.copy(answer, 8, 4, 6)
      answer.writeUInt16BE(lifetime > 0 ? 45_001 : 0, 10)
      answer.writeUInt32BE(lifetime, 12)
      return answer
    },
  }
}

const DESCRIPTION = `<root><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
  <controlURL>/l3</controlURL></service></serviceList><deviceList><device><serviceList><service>
  <serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl</controlURL></service></serviceList></device></deviceList></device></root>`

/** A router of the first version of UPnP, on which the wished port is taken, and which leases without end only. */
function upnpRouter(log: string[]): FakeAnswers {
  const fault = (code: number): { status: number; text: string } => ({ status: 500, text: `<errorCode>${code}</errorCode>` })
  return {
    search: (at) => `HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: ${at}/desc.xml\r\n\r\n`,
    http(path, body) {
      if (path === '/desc.xml') return { status: 200, text: DESCRIPTION }
      if (body.includes('GetExternalIPAddress')) {
        return { status: 200, text: '<NewExternalIPAddress>44.0.0.11</NewExternalIPAddress>' }
      }
      const [action] = /(?:Add|Delete)PortMapping/.exec(body) ?? ['']
      const field = (name: string): string => new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1] ?? ''
      if (action === 'AddPortMapping' && field('NewExternalPort') === String(PORT)) return fault(718)
      if (action === 'AddPortMapping' && field('NewLeaseDuration') !== '0') return fault(725)
      log.push(`upnp ${action} ${field('NewProtocol')}`)
      return { status: 200, text: '<ok/>' }
    },
  }
}

/** What comes of asking, and after it was given back. */
async function asked(answers: FakeAnswers): Promise<PortMapState> {
  await using router = await fakeRouter(answers)
  const states: PortMapState[] = []
  const map = new PortMap({
    port: PORT,
    clock: systemClock,
    logger: silentLogger,
    onChange: (state) => states.push(state),
    findRouter: async () => router,
  })
  await expect.poll(() => states.length, { timeout: 30_000 }).toBe(1)
  await map[Symbol.asyncDispose]()
  return states[0] as PortMapState
}

it('a port is asked for by PCP, and given back', async () => {
  const log: string[] = []
  expect(await asked(pcpRouter(log))).toMatchObject({ state: 'mapped', protocol: 'pcp', host: '44.0.0.11', port: 45_000 })
  expect(log).toEqual([`pcp map ${PORT}`, `pcp delete ${PORT}`])
})

it('by NAT-PMP where the router does not know PCP', async () => {
  const log: string[] = []
  expect(await asked(pmpRouter(log))).toMatchObject({ state: 'mapped', protocol: 'nat-pmp', host: '44.0.0.11', port: 45_001 })
  expect(log).toEqual([`nat-pmp map ${PORT}`, `nat-pmp delete ${PORT}`])
})

it('by UPnP where it knows neither, also when the port is taken and leases have no end', { timeout: 40_000 }, async () => {
  const log: string[] = []
  const state = await asked(upnpRouter(log))
  expect(state).toMatchObject({ state: 'mapped', protocol: 'upnp', host: '44.0.0.11' })
  expect(state).not.toMatchObject({ port: PORT })
  expect(log).toEqual(['upnp AddPortMapping TCP', 'upnp DeletePortMapping TCP'])
})

it('a router behind another translator is of no use, and gets its port back', async () => {
  const log: string[] = []
  expect(await asked(pcpRouter(log, '192.168.0.2'))).toMatchObject({ state: 'none', reason: expect.stringContaining('another translator') })
  expect(log).toEqual([`pcp map ${PORT}`, `pcp delete ${PORT}`])
})

it('silence, garbage and answers without end are no mapping', { timeout: 60_000 }, async () => {
  const garbage: FakeAnswers = { pcp: () => Buffer.from([0]), search: () => '\0', http: () => ({ status: 200, text: '' }) }
  const endless: FakeAnswers = { ...upnpRouter([]), http: () => ({ status: 200, text: '<'.repeat(1 << 20) }) }
  const states = await Promise.all([{}, garbage, endless].map((answers) => asked(answers)))
  expect(states.map(({ state }) => state)).toEqual(['none', 'none', 'none'])
  expect(states[2]).toMatchObject({ reason: expect.stringContaining('no end') })
})

it('any datagram is an answer, none, or a refusal', () => {
  const nonce = pcpNonce()
  const readers = [(bytes: Buffer) => decodePcpMap(bytes, PORT, nonce), decodePmpAddress, (bytes: Buffer) => decodePmpMap(bytes, PORT)]
  const head = fc.constantFrom([2, 129, 0, 0], [0, 128, 0, 0], [0, 130, 0, 0], [0, 130, 0, 9])
  const bytes = fc
    .tuple(fc.oneof(head, fc.constant([])), fc.uint8Array({ maxLength: 80 }))
    .map((parts) => Buffer.from(parts.flatMap((part) => [...part])))
  fc.assert(
    fc.property(bytes, (datagram) => {
      for (const read of readers) {
        try {
          read(datagram)
        } catch (error) {
          if (!(error instanceof RouterRefusal)) throw error
        }
      }
    }),
  )
})

it('a description may lead to its own host only', () => {
  const at = new URL('http://192.168.0.1:5000/desc.xml')
  expect(controlIn(DESCRIPTION, at)?.url.href).toBe('http://192.168.0.1:5000/ctl')
  for (const elsewhere of ['http://192.168.0.7/ctl', 'https://192.168.0.1:5000/ctl', 'file:///etc/passwd', 'http://192.168.0.1:22/']) {
    expect(controlIn(DESCRIPTION.replace('/ctl', elsewhere), at)).toBeUndefined()
  }
  expect(locationOf('NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.0.1/x\r\n\r\n')).toBeUndefined()
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => controlIn(`<service>${text}`, at) === undefined && locationOf(text) === undefined),
  )
})

it('the default route is found in what the systems print', () => {
  const linux = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n'
  const routes =
    'wlan0\t00000000\t0200A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\neth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n'
  expect(gatewayOfProc(`${linux}${routes}`)).toBe('192.168.0.1')
  expect(gatewayOfProc(linux)).toBeUndefined()
  expect(gatewayOfRouteGet('   route to: default\n    gateway: 192.168.1.254\n  interface: en0\n')).toBe('192.168.1.254')
  expect(gatewayOfRouteGet('    gateway: fe80::1%en0\n')).toBeUndefined()
  const windows = '   0.0.0.0  0.0.0.0  192.168.1.2  192.168.1.9  55\r\n   0.0.0.0  0.0.0.0  192.168.1.1  192.168.1.5  25\r\n'
  expect(gatewayOfRoutePrint(windows)).toBe('192.168.1.1')
})

it('only listeners in a local network need a port', () => {
  for (const address of ['127.0.0.1', '::1', '44.0.0.1']) expect(needsPortMap({ address, family: 'IPv4', port: PORT })).toBe(false)
  expect(needsPortMap({ address: '192.168.0.5', family: 'IPv4', port: PORT })).toBe(true)
})
