import type { ErrorCode } from '../../core/errors.ts'

/** What docs/errors.md says to do about each code. The `hint` of an error says it for the case at hand; here stands what is general. */
export const REMEDIES: Record<ErrorCode, string> = {
  BEAM_ERR_CONFIG: 'Correct the value that the message names; `beam config validate` checks the whole file.',
  BEAM_ERR_USAGE: 'See `beam --help`, or the same of the command.',
  BEAM_ERR_PORT_INVALID: 'Give a port between 1 and 65535.',
  BEAM_ERR_ADDRESS_INVALID: 'Copy the whole address or key again from where it was printed; the message says what it looks like instead.',
  BEAM_ERR_EXPOSURE: 'Leave out the network that exposes you, or permit it in so many words as the hint says.',
  BEAM_ERR_PLUGIN: 'The message names the plugin: install or update it, or take it out of the configuration. The other backends go on.',
  BEAM_ERR_PLUGIN_INSTALL: 'Do what the hint says; what was installed before is unchanged. A folder or tarball needs no registry.',
  BEAM_ERR_PLUGIN_PROTOCOL: 'Report it to the author of the backend; Beam starts the executable again by itself.',
  BEAM_ERR_BACKEND_UNKNOWN: 'Check the spelling against the list in the message, or name the plugin that brings the backend.',
  BEAM_ERR_BACKEND_IDLE: 'Publish or connect with it first: `beam 3000 --backend NAME`, and ask while that runs.',
  BEAM_ERR_BACKEND_NOT_INSTALLED: 'Choose another backend, or a version of Beam or a plugin that contains it.',
  BEAM_ERR_BACKEND_UNAVAILABLE:
    'Install or start the daemon that the hint names, or wait until it is ready; `beam doctor` shows what is there.',
  BEAM_ERR_PROGRAM_MISSING: 'Install it as the hint says, or name it in the configuration of the backend (`binary`).',
  BEAM_ERR_PROGRAM_FAILED:
    'The message says what the program said. `--verbose` shows more; settings of your own (`torrc`) are the usual cause.',
  BEAM_ERR_CONTROL_PORT:
    'Check the control settings of the backend, and which program listens there; or leave them out, and Beam runs a daemon of its own.',
  BEAM_ERR_BOOTSTRAP: 'Set the clock, look at the connection; where the network is blocked, use a bridge (`bridges` in its configuration).',
  BEAM_ERR_PORT_IN_USE: 'End the process that has the port, or choose another; `--port 0` takes any free one.',
  BEAM_ERR_SERVICE_DOWN: 'Start your service, or correct the port. Without `--require-service` Beam waits for it.',
  BEAM_ERR_NAME_INVALID: 'A tunnel name looks like `web`, a domain like `myapp.local`; the hint has the rule.',
  BEAM_ERR_NAME_IN_USE: 'End the other process (the message has its number when it is known), or choose another name.',
  BEAM_ERR_KEY_STORAGE:
    'Do what the hint says (mostly a `chmod`), make room on the disk, or set `BEAM_HOME` to a folder of your own. Restore damaged files from a backup: a new key is a new address.',
  BEAM_ERR_KEY_EXISTS:
    'Import under another name (`--as`), or replace the key on purpose (`--replace-keys`): its address is lost then, unless it was exported.',
  BEAM_ERR_EXPORT_INVALID:
    'Copy the file again from where it was made, or export anew. Keys that were changed on the way are not imported.',
  BEAM_ERR_PASSPHRASE: 'Try again with the passphrase of the export. Nobody can read the keys without it; the rest of the file needs none.',
  BEAM_ERR_INVITE:
    'Copy the whole line again; when it expired or its signature is wrong, ask your friend for a new one (`beam anonet invite`).',
  BEAM_ERR_PEER_UNREACHABLE: 'Check that the publisher still runs; try again later or over another network.',
  BEAM_ERR_NOT_FOUND: 'Check the address, and that the publisher runs. New addresses and names take some seconds to be known.',
  BEAM_ERR_NAME_CONFLICT:
    'Ask the publisher, by another way, for the full `beam://` address. Forget the accepted key only if it has really changed.',
  BEAM_ERR_NAME_AMBIGUOUS: 'Ask the publisher, by another way, for the full `beam://` address and connect to that.',
  BEAM_ERR_ACCESS_DENIED: 'Send the publisher your visitor key (`beam key show`), or ask for the secret word.',
  BEAM_ERR_KEY_MISMATCH:
    'Something else answers in the place of the service. Ask the publisher for the current address; do not go round it.',
  BEAM_ERR_RECORD_INVALID:
    'Nothing, when it came from others: Beam ignores such records. For one of your own, publish fewer endpoints or less metadata; compare the clocks when it is said to be from the future.',
  BEAM_ERR_RECORD_EXPIRED: 'Check that the publisher still runs, and the clocks of both machines.',
  BEAM_ERR_LINK_CLOSED: 'Nothing at first: Beam connects again by itself. If it stays, check the network and the publisher.',
  BEAM_ERR_LINK_PROTOCOL: 'Update Beam at both ends; if it stays, something in between changes the bytes, or the far end is no Beam.',
  BEAM_ERR_RATE_LIMITED: 'Wait a while; Beam does so by itself and uses other peers meanwhile.',
  BEAM_ERR_STREAM_RESET: 'Look at the service behind the tunnel: it ended the connection hard.',
  BEAM_ERR_TIMEOUT: 'Try again; over slow networks with a longer time limit where the command has one.',
  BEAM_ERR_UNSUPPORTED: 'Choose a backend that can do it; the message names what was asked for.',
  BEAM_ERR_DAEMON: 'Look at its log (`beam daemon logs`); `--no-daemon` does without it.',
  BEAM_ERR_DAEMON_RUNNING: 'Nothing: use the one that runs (`beam daemon status`), or end it first with `beam daemon stop`.',
  BEAM_ERR_DAEMON_LOST: 'Start it again with `beam daemon start`; what was left with it comes back.',
  BEAM_ERR_CONTROL:
    'Restart the daemon: it may be of another version than the command. In a program of your own, compare with schemas/control/.',
  BEAM_ERR_TUNNEL_UNKNOWN: 'See `beam list` for the tunnels that run.',
  BEAM_ERR_INTERNAL: 'Report it, with the output of `--verbose`.',
}
