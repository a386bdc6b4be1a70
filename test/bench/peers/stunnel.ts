import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanEnvironment } from '../children.ts'
import { credentials } from './credentials.ts'
import { freePort, installed } from './installed.ts'
import type { Peer, PeerContext } from './peer.ts'

const program = (): string | undefined => installed('stunnel4') ?? installed('stunnel')

/** A pair of stunnel processes with TLS 1.3. */
export const stunnel: Peer = {
  name: 'stunnel',
  what: 'pair of stunnel processes, TLS 1.3',
  missing: () => (program() === undefined ? 'stunnel (Debian: apt-get install stunnel4)' : undefined),
  async start(context) {
    credentials(context.folder)
    const middle = await freePort()
    const port = await freePort()
    const files = `cert = ${context.folder}/cert.pem\nkey = ${context.folder}/key.pem\n`
    const publisher = await run(context, 'server', `${files}accept = 127.0.0.1:${middle}\nconnect = 127.0.0.1:${context.origin}\n`)
    const pin = `client = yes\nCAfile = ${context.folder}/cert.pem\nverifyPeer = yes\n`
    const connector = await run(context, 'client', `${pin}accept = 127.0.0.1:${port}\nconnect = 127.0.0.1:${middle}\n`)
    return { port, publisher: [publisher], connector: [connector] }
  },
}

async function run(context: PeerContext, name: string, service: string): Promise<number> {
  const path = join(context.folder, `${name}.conf`)
  const socket = 'socket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n'
  writeFileSync(path, `foreground = yes\npid =\n${socket}sslVersionMin = TLSv1.3\n[${name}]\n${service}`)
  const child = await context.children.start(program()!, [path], cleanEnvironment(context.folder))
  await child.waitFor(/Configuration successful/)
  return child.pid
}
