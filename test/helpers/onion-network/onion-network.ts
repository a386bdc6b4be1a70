import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { daemonLines, memberLines, type Layout } from './configuration.ts'
import { Daemon, privateFolder } from './daemon.ts'
import type { Flavor } from './flavor.ts'
import { relaysListen, startRelays } from './relays.ts'
import { readSnapshot, snapshotFolder } from './snapshot.ts'
import { Undertaker } from './undertaker.ts'

/** Until the relays listen, and until a client has a circuit: seconds, on a loaded machine more. */
const LISTEN_MS = 20_000
const BOOTSTRAP_MS = 60_000

/** A daemon of a visitor or a publisher, configured by hand. */
export interface Client {
  readonly daemon: Daemon
  readonly socksPort: number
}

/** How a client is configured by hand. */
export interface ClientOptions {
  /** Further lines. Default: a SOCKS port with extended errors. */
  readonly lines?: readonly string[]
  /** Without the directory of the network, which it then fetches. */
  readonly cold?: boolean
}

/**
 * A private network on loopback: one directory authority, which is a relay too, and four relays. It starts from a snapshot within seconds.
 * Nothing of it is left when it is disposed of, nor when this process is killed.
 */
export class OnionNetwork implements AsyncDisposable {
  readonly flavor: Flavor
  readonly layout: Layout
  /** What a daemon needs in its configuration to be part of this network: the `torrc` option of the backends. */
  readonly torrc: readonly string[]
  /** The authority and the relays, to be stopped, continued or killed. */
  readonly relays: readonly Daemon[]
  /** Files that make a start warm when they are copied into an empty data directory. */
  readonly directory: string
  readonly #folder: string
  readonly #undertaker: Undertaker
  readonly #clients: Daemon[] = []

  private constructor(flavor: Flavor, folder: string, undertaker: Undertaker) {
    const { layout, authority } = readSnapshot(folder)
    this.flavor = flavor
    this.layout = layout
    this.torrc = memberLines(authority)
    this.directory = join(folder, 'directory')
    this.#folder = folder
    this.#undertaker = undertaker
    this.relays = startRelays(flavor, layout, authority, folder)
    for (const { child } of this.relays) undertaker.tell(child.pid)
  }

  /** Starts the network; the first time in a checkout it is made, which takes ten seconds more. */
  static async start(flavor: Flavor): Promise<OnionNetwork> {
    const snapshot = await snapshotFolder(flavor)
    const folder = mkdtempSync(join(tmpdir(), 'beam-onion-'))
    const undertaker = new Undertaker(folder)
    cpSync(snapshot, folder, { recursive: true })
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      chmodSync(join(folder, entry.name), 0o700)
      for (const stale of ['lock', 'control-port', 'state', 'pid', 'tor.log']) rmSync(join(folder, entry.name, stale), { force: true })
    }
    const network = new OnionNetwork(flavor, folder, undertaker)
    try {
      await relaysListen(network.layout, network.relays, LISTEN_MS)
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
    return network
  }

  /** Starts a client that is configured by hand, and waits until it has a circuit. */
  async client(name: string, options: ClientOptions = {}): Promise<Client> {
    const daemon = this.launch(name, options)
    const control = await daemon.control()
    for (const deadline = Date.now() + BOOTSTRAP_MS; ; await delay(20)) {
      const phase = await control.info('status/bootstrap-phase')
      if (phase.includes('PROGRESS=100')) break
      if (Date.now() > deadline) throw new Error(`${name} does not get further than ${phase}`)
    }
    const socksPort = Number(/:(\d+)"/.exec(await control.info('net/listeners/socks'))?.[1] ?? 0)
    return { daemon, socksPort }
  }

  /** Starts a client without waiting for it. */
  launch(name: string, { lines = ['SocksPort 127.0.0.1:auto ExtendedErrors'], cold = false }: ClientOptions = {}): Daemon {
    const folder = privateFolder(this.#folder, `client-${name}`)
    if (!cold) cpSync(this.directory, folder, { recursive: true })
    const daemon = new Daemon(this.flavor, name, folder, [...this.torrc, ...daemonLines(this.flavor, folder), ...lines])
    this.#undertaker.tell(daemon.child.pid)
    this.#clients.push(daemon)
    return daemon
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients, ...this.relays].map((daemon) => daemon.stop()))
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
