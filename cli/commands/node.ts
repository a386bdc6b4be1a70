import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../core/errors.ts'
import { BeamCommand } from '../base-command.ts'
import { visitorSocket } from '../daemon/visitor-socket.ts'
import { BOOTSTRAP_FLAG, JSON_FLAG } from '../input/flags.ts'
import type { FlagValues } from '../input/network-flags/group.ts'
import { NODE_FLAGS, nodeEnvironment } from '../input/network-flags/mesh.ts'
import { parsePort } from '../input/service-target.ts'
import { Lifetime } from '../lifetime.ts'
import { openBeam } from '../open-beam.ts'
import { meetingPlaceText, meetingPlaceView } from '../output/meeting-place-view.ts'
import { nodeText } from '../output/node-text.ts'

/** What a node can do for others, as switches and as the setting `serve` of the mesh name it. */
const SERVICES = ['bootstrap', 'rendezvous', 'relay'] as const

/** Networks behind which a meeting place can be, by their flags. */
const HIDING = ['tor', 'ator', 'i2p'] as const
/** The name of a meeting place that was given none: its address is of use only as long as it stays. */
const PLACE_NAME = 'rendezvous'

/** `beam node`: a node of the mesh that publishes nothing and serves others. */
export default class Node extends BeamCommand {
  static override summary = 'Run a node of the mesh for others: relay, meeting place, first contact.'
  static override description =
    'Prints the addresses under which others can link to it (p2p.peers, --p2p-peers) and start their DHT from it (p2p.bootstrap, --p2p-bootstrap). Publishes nothing of yours; what it relays it cannot read. Serves everything unless switches say what. With --tor or --i2p it is a meeting place behind that network and nothing else: it stays out of the mesh, and what it prints is for --rendezvous. Runs until Ctrl-C.'
  static override examples = [
    '<%= config.bin %> node --port 4001',
    '<%= config.bin %> node --bootstrap --port 4001 --p2p-bootstrap none',
    '<%= config.bin %> node --rendezvous --tor',
    '<%= config.bin %> node --p2p-mode routing --p2p-peers beam-node:…@192.0.2.7:4001',
    '<%= config.bin %> node --json',
  ]
  static override flags = {
    bootstrap: boolean({ description: 'Store for the DHT; without other bootstrap nodes, begin one.', helpGroup: 'SERVES' }),
    rendezvous: boolean({ description: 'Hold what publishers register, and tell who asks.', helpGroup: 'SERVES' }),
    relay: boolean({ description: 'Relay for those who cannot reach each other.', helpGroup: 'SERVES' }),
    ...Object.fromEntries(
      HIDING.map((network) => [
        network,
        boolean({
          description: `With --rendezvous: be a meeting place behind ${network}, and take no part in the mesh.`,
          helpGroup: 'MEETING PLACE',
        }),
      ]),
    ),
    name: string({
      char: 'n',
      description: 'With --tor or --i2p: keep key and address under this name. Default: rendezvous.',
      helpGroup: 'MEETING PLACE',
      helpValue: 'NAME',
    }),
    port: string({
      char: 'p',
      description: 'Port to be dialled at, TCP for links and UDP for the DHT; 0 = any free ones (the default).',
      helpGroup: 'MESH',
      helpValue: 'PORT',
    }),
    bind: string({ description: 'Local address to listen on. Default: all.', helpGroup: 'MESH', helpValue: 'ADDRESS' }),
    ...NODE_FLAGS,
    ...BOOTSTRAP_FLAG,
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Node)
    const values: FlagValues = flags
    const hiding = HIDING.filter((network) => values[network] === true)
    if (hiding.length > 0) return this.#hostPlace(hiding, values)
    if (flags.name !== undefined) throw usage('--name is for a meeting place behind a network.', 'Add --tor or --i2p.')
    const wanted = nodeEnvironment(flags)
    const serves = SERVICES.filter((service) => flags[service])
    const port = flags.port === undefined ? undefined : String(parsePort(flags.port, 0))
    const environment = {
      // Who runs a node serves others, as fully as the limits allow, unless it says less.
      BEAM_P2P_PARTICIPATION: 'full',
      BEAM_P2P_DHT_PORT: port ?? process.env['BEAM_P2P_DHT_PORT'] ?? process.env['BEAM_P2P_PORT'] ?? '0',
      ...(serves.length === 0 ? {} : { BEAM_P2P_SERVE: serves.join(',') }),
      ...(port === undefined ? {} : { BEAM_P2P_PORT: port }),
      ...(flags.bind === undefined ? {} : { BEAM_P2P_HOST: flags.bind }),
      ...wanted,
    }
    using lifetime = new Lifetime()
    const { verbose, json } = flags
    await using beam = await openBeam({ verbose, json, bootstrap: flags['p2p-bootstrap'], environment })
    await using socket = visitorSocket(beam, this.config.root)
    await beam.start('mesh', { signal: lifetime.signal })
    socket.soon()
    const { id, addresses, participation, serves: served, bootstrap = [] } = await beam.operate('mesh', 'start')
    const node = {
      id: String(id),
      participation: String(participation),
      serves: served as readonly string[],
      addresses: addresses as readonly string[],
      bootstrap: bootstrap as readonly string[],
    }
    process.stdout.write(json ? `${JSON.stringify({ event: 'node', ...node })}\n` : nodeText(node))
    const reason = await lifetime.ended()
    if (json) process.stdout.write(`${JSON.stringify({ event: 'stopped', reason })}\n`)
  }

  /** A meeting place behind networks: no node of the mesh, so none of its flags. */
  async #hostPlace(backends: readonly string[], flags: FlagValues): Promise<void> {
    const own = ['rendezvous', 'name', 'json', 'verbose', ...HIDING]
    const other = Object.keys(flags).find((name) => !own.includes(name) && flags[name] !== undefined && flags[name] !== false)
    if (flags['rendezvous'] !== true || other !== undefined) {
      const what = other === undefined ? '' : ` --${other} is for a node of the mesh.`
      throw usage(
        `A node behind ${backends.join(' and ')} is a meeting place and nothing else.${what}`,
        `beam node --rendezvous --${backends[0] ?? ''}`,
      )
    }
    const [verbose, json] = [flags['verbose'] === true, flags['json'] === true]
    const name = typeof flags['name'] === 'string' ? flags['name'] : PLACE_NAME
    using lifetime = new Lifetime()
    await using beam = await openBeam({ verbose, json })
    await using socket = visitorSocket(beam, this.config.root)
    socket.soon()
    const place = await beam.hostPlace({ backends, name, signal: lifetime.signal, onEvent: meetingPlaceView({ json }) })
    const view = { id: place.id, addresses: place.addresses() }
    process.stdout.write(json ? `${JSON.stringify({ event: 'node', ...view, serves: ['rendezvous'] })}\n` : meetingPlaceText(view))
    const reason = await lifetime.ended()
    await place.stop(reason)
    if (json) process.stdout.write(`${JSON.stringify({ event: 'stopped', reason })}\n`)
  }
}

function usage(message: string, hint: string): ConfigError {
  return new ConfigError(message, { code: 'BEAM_ERR_USAGE', hint })
}
