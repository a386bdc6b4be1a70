import { Help as OclifHelp } from '@oclif/core/help'

/** What stands above the list of commands in `beam --help`. */
const ROOT = `Publish a local port through a peer-to-peer mesh and anonymity networks.

EXAMPLES
  $ beam 3000                        publish localhost:3000, print its address
  $ beam 3000 8080 db.lan:5432       several services at once
  $ beam 3000 --name web             keep the same address across restarts
  $ beam connect beam://… --port 8080   on the other machine
  $ beam doctor                      what works on this machine

USAGE
  $ beam PORT|HOST:PORT ... [FLAGS]  flags: beam expose --help
  $ beam COMMAND [FLAGS]
`

/** oclif's help with a front page that begins with what most people want. */
export class Help extends OclifHelp {
  override formatRoot(): string {
    return ROOT
  }
}
