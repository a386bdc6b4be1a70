import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'

/** `beam key list`: the names that keep their addresses. */
export default class KeyList extends BeamCommand {
  static override summary = 'List the names that keep their beam:// address on this machine.'
  static override description = 'Each was made by --name. The keys are files in the data folder; whoever has the file has the address.'
  static override examples = ['<%= config.bin %> key list', '<%= config.bin %> key list --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(KeyList)
    const [{ beamPaths }, { formatBeamAddress, openKeyStore }] = await Promise.all([
      import('../../config/paths.ts'),
      import('../../core/index.ts'),
    ])
    const keys = openKeyStore(beamPaths())
    const services: { name: string; address: string }[] = []
    for (const name of await keys.list()) services.push({ name, address: formatBeamAddress((await keys.serviceKey(name)).publicKey) })
    if (flags.json) process.stdout.write(`${JSON.stringify({ services })}\n`)
    else for (const { name, address } of services) process.stdout.write(`${address}  ${name}\n`)
  }
}
