import { boolean, string } from '@oclif/core/flags'
import { BeamCommand } from '../base-command.ts'
import { visitorSocket } from '../daemon/visitor-socket.ts'
import { BOOTSTRAP_FLAG, JSON_FLAG } from '../input/flags.ts'
import { NODE_FLAGS, nodeEnvironment } from '../input/network-flags/mesh.ts'
import { parsePort } from '../input/service-target.ts'
import { Lifetime } from '../lifetime.ts'
import { openBeam } from '../open-beam.ts'
import { nodeText } from '../output/node-text.ts'

/** What a node can do for others, as switches and as the setting `serve` of the mesh name it. */
const SERVICES = ['bootstrap', 'rendezvous', 'relay'] as const

/** `beam node`: a node of the mesh that publishes nothing and serves others. */
export default class Node extends BeamCommand {
  static override summary = 'Run a node of the mesh for others: relay, meeting place, first contact.'
  static override description =
    'Prints the addresses under which others can link to it (p2p.peers, --p2p-peers) and start their DHT from it (p2p.bootstrap, --p2p-bootstrap). Publishes nothing of yours; what it relays it cannot read. Serves everything unless switches say what. Runs until Ctrl-C.'
  static override examples = [
    '<%= config.bin %> node --port 4001',
    '<%= config.bin %> node --bootstrap --port 4001 --p2p-bootstrap none',
    '<%= config.bin %> node --p2p-mode routing --p2p-peers beam-node:…@192.0.2.7:4001',
    '<%= config.bin %> node --json',
  ]
  static override flags = {
    bootstrap: boolean({ description: 'Store for the DHT; without other bootstrap nodes, begin one.', helpGroup: 'SERVES' }),
    rendezvous: boolean({ description: 'Hold what publishers register, and tell who asks.', helpGroup: 'SERVES' }),
    relay: boolean({ description: 'Relay for those who cannot reach each other.', helpGroup: 'SERVES' }),
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
}
