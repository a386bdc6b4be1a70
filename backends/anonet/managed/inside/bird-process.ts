import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { sleep, systemClock } from '../../../../core/index.ts'
import { BirdClient } from '../../bird/client.ts'
import { readBfdSessions, readProtocols, readRoutes } from '../../bird/tables.ts'
import type { InsideState } from '../protocol.ts'
import { serve, type Service } from './run.ts'

/** In the namespace's own /run: nothing of it is left when the namespace goes. */
const CONFIG = '/run/bird.conf'
const SOCKET = '/run/bird.ctl'
/** BIRD listens within milliseconds, on a busy machine within a second or two. */
const START_LIMIT_MS = 10_000
const POLL_MS = 10
/** How long to wait before BIRD is started again after it ended by itself. */
const RESTART_MS = 1_000

/** The BIRD of the namespace: started with the first configuration and told the later ones. It is started again when it dies. */
export class BirdProcess {
  #service: Service | undefined
  #client: BirdClient | undefined

  async configure(text: string): Promise<void> {
    await writeFile(CONFIG, text, { mode: 0o600 })
    if (this.#service === undefined) await this.#start()
    else await (await this.#connected()).run('configure')
  }

  async state(): Promise<Omit<InsideState, 'links'>> {
    const client = await this.#connected()
    const [protocols, bfd, routes] = await Promise.all([
      client.ask('show protocols'),
      client.ask('show bfd sessions'),
      client.ask('show route'),
    ])
    return { birdVersion: client.version, protocols: readProtocols(protocols), bfd: readBfdSessions(bfd), routes: readRoutes(routes) }
  }

  async #start(): Promise<void> {
    const service = serve('bird', ['-f', '-c', CONFIG, '-s', SOCKET])
    this.#service = service
    let gone = false
    void service.ended.then(async () => {
      gone = true
      this.#client?.[Symbol.dispose]()
      await sleep(RESTART_MS)
      if (this.#service === service) await this.#start().catch(() => {})
    })
    for (const deadline = Date.now() + START_LIMIT_MS; !existsSync(SOCKET); await sleep(POLL_MS)) {
      if (gone || Date.now() > deadline) throw new Error(`BIRD does not start: ${service.said().trim().slice(-500) || 'it says nothing'}`)
    }
  }

  async #connected(): Promise<BirdClient> {
    if (this.#client === undefined || this.#client.closed) this.#client = await BirdClient.connect(SOCKET, { clock: systemClock })
    return this.#client
  }
}
