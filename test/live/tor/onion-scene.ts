import { createServer } from 'node:http'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BeamProcess, JsonLine } from '../../cli/beam-process.ts'
import { addressOf, Scene } from '../../e2e/scene.ts'
import { OnionNetwork, type Flavor } from '../../helpers/onion-network/index.ts'

/** A cold start takes two to ten seconds; a loaded machine, and repairs after faults, take longer. */
const PATIENCE_MS = 90_000

/** A tunnel that is ready. */
export interface OnionPublication {
  readonly process: BeamProcess
  readonly address: string
}

/** `beam` processes in a folder whose configuration puts them on a private network. */
export class OnionScene implements AsyncDisposable {
  readonly scene: Scene
  readonly network: OnionNetwork
  readonly backend: 'tor' | 'ator'

  private constructor(scene: Scene, network: OnionNetwork) {
    this.scene = scene
    this.network = network
    this.backend = network.flavor.name === 'tor' ? 'tor' : 'ator'
  }

  /** Starts a network and prepares a folder; `settings` go into the backend's configuration. */
  static async open(flavor: Flavor, settings: Readonly<Record<string, unknown>> = {}): Promise<OnionScene> {
    const network = await OnionNetwork.start(flavor)
    const scene = new OnionScene(await Scene.open(undefined, PATIENCE_MS), network)
    scene.configure(settings)
    return scene
  }

  /** Writes the configuration anew, for the processes that start from now on. */
  configure(settings: Readonly<Record<string, unknown>>): void {
    const { torrc, flavor } = this.network
    const config = { binary: flavor.binary, torrc, ...settings }
    writeFileSync(join(this.scene.folder, 'beam.config.json'), JSON.stringify({ backends: [{ name: this.backend, config }] }))
  }

  /** The folder of another user: BEAM_HOME for {@link publish} and {@link visit}. */
  home(name: string): string {
    return join(this.scene.folder, name)
  }

  /** A server that answers every request with this text. */
  serve(text: string): Promise<number> {
    return this.scene.serve(createServer((_, response) => response.end(text)))
  }

  /** `beam <port> --backend …`, without waiting for anything. */
  start(port: number, flags: readonly string[] = [], home = this.home('home')): BeamProcess {
    return this.scene.beam([String(port), '--backend', this.backend, ...flags], { BEAM_HOME: home })
  }

  /** `beam <port> --backend …`, ready. */
  async publish(port: number, flags: readonly string[] = [], home = this.home('home')): Promise<OnionPublication> {
    const process = this.start(port, flags, home)
    return { process, address: addressOf(await process.event('ready')) }
  }

  /** `beam connect`, listening on `port`. */
  async visit(
    address: string,
    flags: readonly string[] = [],
    home = this.home('visitor'),
  ): Promise<{ process: BeamProcess; port: number }> {
    const process = this.scene.beam(['connect', address, ...flags], { BEAM_HOME: home })
    const { port } = (await process.event('listening')) as JsonLine & { readonly port: number }
    return { process, port }
  }

  /** The `error` event of a `beam connect` that fails. */
  async refusal(address: string, flags: readonly string[] = [], home = this.home('visitor')): Promise<JsonLine> {
    const process = this.scene.beam(['connect', address, ...flags], { BEAM_HOME: home })
    const error = await process.event('error')
    await process.ended
    return error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.scene[Symbol.asyncDispose]()
    } finally {
      await this.network[Symbol.asyncDispose]()
    }
  }
}

/** Pids of the daemons that a Beam process started and that run now. */
export function daemonsOf(parent: number | undefined): number[] {
  return processes()
    .filter((process) => process.parent === parent && /^(tor|anon)$/.test(process.name))
    .map(({ pid }) => pid)
}

/** Whether a process runs; one that has ended and was not waited for does not. */
export function runs(pid: number): boolean {
  return processes().some((process) => process.pid === pid)
}

function processes(): Array<{ readonly pid: number; readonly name: string; readonly parent: number }> {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const [, program = '', state, parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? []
        return state === 'Z' ? [] : [{ pid: Number(name), name: program, parent: Number(parent) }]
      } catch {
        return []
      }
    })
}
