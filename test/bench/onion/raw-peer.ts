import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'node:net'
import { socksConnect } from '../../../backends/_shared/onion/socks/socks-client.ts'
import { systemClock } from '../../../core/index.ts'
import type { Client } from '../../helpers/onion-network/index.ts'
import { firstByte } from './load.ts'
import type { OnionPeer, OnionPeerContext, Publication, Visitor } from './peer.ts'

/** Longest wait for the upload; and a service that was uploaded is reached at once, or after a circuit more. */
const READY_MS = 60_000

/** The daemon alone, configured by hand: one for the publisher, one for each visitor, spoken to through its SOCKS port. */
export function rawPeer(): OnionPeer {
  /** The service's key, so that the second start has the same address. */
  const keys = new Map<string, string>()
  let visitors = 0

  async function publish({ network, torrc, origin, folder }: OnionPeerContext): Promise<Publication> {
    const daemon = network.launch(nameOf(folder), { cold: true, lines: [...CLIENT, ...torrc.slice(network.torrc.length)] })
    const control = await daemon.control()
    await control.command('SETEVENTS HS_DESC')
    const uploaded = new Promise<void>((resolve) => control.on('event', (text) => text.startsWith('HS_DESC UPLOADED') && resolve()))
    const late = delay(READY_MS, undefined, { ref: false }).then(async () => {
      const phase = await control.info('status/bootstrap-phase')
      throw new Error(`no descriptor was uploaded within ${READY_MS / 1000} s, and ${phase}`)
    })
    late.catch(() => {})
    const reply = await control.command(`ADD_ONION ${keys.get(folder) ?? 'NEW:ED25519-V3'} Port=80,127.0.0.1:${origin}`)
    const value = (key: string): string => reply.find(({ text }) => text.startsWith(`${key}=`))?.text.slice(key.length + 1) ?? ''
    if (!keys.has(folder)) keys.set(folder, value('PrivateKey'))
    await Promise.race([uploaded, late])
    const address = `http://${value('ServiceID')}.${network.flavor.suffix}`
    const socksPort = Number(/:(\d+)"/.exec(await control.info('net/listeners/socks'))?.[1])
    for (const deadline = Date.now() + READY_MS; ; await delay(100)) {
      try {
        await firstByte(() => through(socksPort, address, 'self'))
        break
      } catch (error) {
        if (Date.now() > deadline) throw error
      }
    }
    return { address, stop: () => daemon.stop() }
  }

  async function visit({ network, torrc, folder }: OnionPeerContext, address: string, circuits: number): Promise<Visitor> {
    const name = `${nameOf(folder)}-visitor-${++visitors}`
    const client: Client = await network.client(name, { cold: true, lines: [...CLIENT, ...torrc.slice(network.torrc.length)] })
    return { dial: (index) => through(client.socksPort, address, `group-${index % circuits}`), stop: () => client.daemon.stop() }
  }

  return { name: 'raw', what: 'the daemon alone, configured by hand, through its SOCKS port', publish, visit }
}

const CLIENT = ['SocksPort 127.0.0.1:auto ExtendedErrors']

function nameOf(folder: string): string {
  return folder.replaceAll(/\W+/g, '').slice(-18)
}

async function through(socksPort: number, address: string, group: string): Promise<Socket> {
  const result = await socksConnect({
    proxy: { host: '127.0.0.1', port: socksPort },
    host: new URL(address).hostname,
    port: 80,
    user: { user: group, password: 'x' },
    clock: systemClock,
  })
  if ('code' in result) throw new Error(`SOCKS reply ${result.code}`)
  return result.socket
}
