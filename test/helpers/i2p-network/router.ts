import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** The public network is 2. */
const NETWORK_ID = 77
/** A router.info that is written to its end has 500 bytes or more. */
const LEAST_INFO_BYTES = 450
/** How long a router may take for what takes it milliseconds, on a machine that is busy. */
const PATIENCE_MS = 30_000
/** The identity in a router.info: 387 bytes and the payload of its certificate. */
const IDENTITY_BYTES = 387

/** Where a router of the test is and what it offers. */
export interface RouterPlace {
  readonly dir: string
  /** An address of 198.18.77.0/24 on the namespace's lo: i2pd 2.45 refuses 127.0.0.0/8 between routers. */
  readonly address: string
  readonly port: number
  readonly samPort: number
  readonly httpProxyPort: number
  readonly floodfill: boolean
}

/** The signed address record of a router, as others store it. */
export interface RouterRecord {
  readonly bytes: Buffer
  /** I2P's base64 of the SHA-256 of its identity. */
  readonly hash: string
}

/** Options that keep an i2pd inside of the private network and off everything else. */
export const PRIVATE_OPTIONS: Readonly<Record<string, string>> = {
  ipv4: 'true',
  ipv6: 'false',
  nat: 'false',
  netid: String(NETWORK_ID),
  reservedrange: 'false',
  bandwidth: 'X',
  share: '100',
  'ntcp2.enabled': 'true',
  'ntcp2.published': 'true',
  'ssu2.enabled': 'false',
  'ssu2.published': 'false',
  'reseed.verify': 'false',
  'reseed.urls': '',
  'reseed.yggurls': '',
  'reseed.threshold': '0',
  'addressbook.enabled': 'true',
  'addressbook.defaulturl': 'http://127.0.0.1/none',
  'addressbook.subscriptions': '',
  'upnp.enabled': 'false',
  'nettime.enabled': 'false',
  'nettime.frompeers': 'false',
  'persist.profiles': 'false',
  'exploratory.inbound.length': '0',
  'exploratory.outbound.length': '0',
  'exploratory.inbound.quantity': '1',
  'exploratory.outbound.quantity': '1',
}

/** A router of the private network at a place of its own. */
export function placeOf(folder: string, index: number, floodfill: boolean): RouterPlace {
  // SAM takes the UDP port below its own, too.
  const port = 27_600 + index * 10
  const dir = join(folder, `r${index}`)
  return { dir, address: `198.18.77.${10 + index}`, port, samPort: port + 2, httpProxyPort: port + 5, floodfill }
}

/** Options of one router. */
function optionsOf(place: RouterPlace): Readonly<Record<string, string>> {
  const proxy = { 'inbound.length': '0', 'outbound.length': '0', 'inbound.quantity': '1', 'outbound.quantity': '1' }
  return {
    ...PRIVATE_OPTIONS,
    log: 'file',
    logfile: join(place.dir, 'i2pd.log'),
    loglevel: 'warn',
    address4: place.address,
    host: place.address,
    port: String(place.port),
    floodfill: String(place.floodfill),
    'http.enabled': 'false',
    'httpproxy.enabled': 'true',
    'httpproxy.address': '127.0.0.1',
    'httpproxy.port': String(place.httpProxyPort),
    ...Object.fromEntries(Object.entries(proxy).map(([name, value]) => [`httpproxy.${name}`, value])),
    'socksproxy.enabled': 'false',
    'sam.enabled': 'true',
    'sam.address': '127.0.0.1',
    'sam.port': String(place.samPort),
    'i2cp.enabled': 'false',
    'bob.enabled': 'false',
    'i2pcontrol.enabled': 'false',
  }
}

/** How often a router that was killed is started before it counts as lost. */
const RESTARTS = 3

/** One i2pd of the private network, which can be ended and started again at the same place. */
export class TestRouter {
  readonly place: RouterPlace
  #child: ChildProcess | undefined
  #revivals = 0

  constructor(place: RouterPlace) {
    this.place = place
    for (const sub of ['tunnels.d', 'certificates']) mkdirSync(join(place.dir, sub), { recursive: true })
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the program; `listening` says when it can be used. @param tunnels - tunnels.conf */
  start(tunnels = ''): void {
    const { dir } = this.place
    const lines = Object.entries(optionsOf(this.place)).map(([name, value]) => `${name} = ${value}\n`)
    writeFileSync(join(dir, 'i2pd.conf'), lines.join(''))
    writeFileSync(join(dir, 'tunnels.conf'), tunnels)
    const files = { conf: 'i2pd.conf', tunconf: 'tunnels.conf', tunnelsdir: 'tunnels.d', certsdir: 'certificates' }
    const args = [`--datadir=${dir}`, ...Object.entries(files).map(([name, file]) => `--${name}=${join(dir, file)}`)]
    this.#child = spawn('i2pd', args, { stdio: 'ignore', env: { PATH: `${process.env['PATH']}:/usr/sbin`, HOME: dir } })
  }

  /** Starts the program after a kill, which may have truncated its files: then it ends, and is started once more. */
  async restart(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.start()
      try {
        return await this.listening()
      } catch (error) {
        await this.kill()
        if (attempt === RESTARTS) throw error
      }
    }
  }

  /** From now on the program is started again when it ends by itself: other tests go on with its network. */
  revive(): void {
    const child = this.#child
    child?.once('exit', (code: number | null, signal: string | null) => {
      if (this.#child !== child || this.#revivals >= RESTARTS) return
      this.#revivals += 1
      process.stderr.write(`i2pd at ${this.place.address} ended by itself (${signal ?? code}) and is started again\n`)
      this.restart().then(
        () => this.revive(),
        () => {},
      )
    })
  }

  async listening(): Promise<void> {
    await until(() => answers(this.place.samPort), `the SAM port of ${this.place.address} does not open`)
  }

  /** SIGTERM takes i2pd more than a second, and nothing here needs what it would save. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Its address record, after which it is ended. A kill may truncate the file: it is then started once more. */
  async record(): Promise<RouterRecord> {
    const file = join(this.place.dir, 'router.info')
    for (let attempt = 0; attempt < 5; attempt++) {
      await until(async () => existsSync(file) && statSync(file).size > LEAST_INFO_BYTES, `no router.info: is ${this.place.address} on lo?`)
      await delay(50)
      await this.kill()
      const bytes = readFileSync(file)
      if (bytes.length > LEAST_INFO_BYTES) return { bytes, hash: hashOf(bytes) }
      this.start()
    }
    throw new Error('router.info stays truncated')
  }

  /** Gives it the records of others. */
  learn(records: readonly RouterRecord[]): void {
    writeRecords(this.place.dir, records)
  }
}

/** Puts records where a router looks for them when it starts. */
export function writeRecords(dir: string, records: readonly RouterRecord[]): void {
  for (const { bytes, hash } of records) {
    const folder = join(dir, 'netDb', `r${hash[0]}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `routerInfo-${hash}.dat`), bytes)
  }
}

function hashOf(info: Buffer): string {
  const identity = info.subarray(0, IDENTITY_BYTES + info.readUInt16BE(IDENTITY_BYTES - 2))
  return createHash('sha256').update(identity).digest('base64').replaceAll('+', '-').replaceAll('/', '~')
}

/** Waits for something that takes a moment. */
export async function until(holds: () => Promise<boolean> | boolean, otherwise: string, limitMs = PATIENCE_MS): Promise<void> {
  for (const deadline = Date.now() + limitMs; !(await holds()); await delay(20)) {
    if (Date.now() > deadline) throw new Error(otherwise)
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true)).once('error', () => settle(false))
  })
}
