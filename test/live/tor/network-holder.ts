/** Starts a private network, says where it is, and waits to be killed. */
import { dirname } from 'node:path'
import { OnionNetwork, requireTor } from '../../helpers/onion-network/index.ts'

const network = await OnionNetwork.start(requireTor()!)
console.log(JSON.stringify({ folder: dirname(network.directory), pids: network.relays.map(({ child }) => child.pid) }))
setInterval(() => {}, 60_000)
