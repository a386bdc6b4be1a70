import { PROMPT_LOOPBACK } from '../prompt-loopback.ts'

/** Highest address that tests may use: 198.18.77.10 to .29. That range counts as public for i2pd and belongs to nobody (RFC 2544). */
const LAST = 29

/**
 * An interface with an address and a default route, whose far end nobody reads: what is sent through it would have left the machine. Nothing
 * counts but what programs send: the kernel's own announcements of the interface are switched off.
 */
const WAY_OUT = [
  'ip link add out0 type veth peer name out1',
  'ip link set out0 addrgenmode none',
  'ip link set out1 addrgenmode none',
  'ip addr add 192.0.2.1/24 dev out0',
  'ip link set out1 up',
  'ip link set out0 up',
  'ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev out0 nud permanent',
  'ip route add default via 192.0.2.2',
]

/**
 * Program and arguments that run a command in a user, network and process namespace of its own, whose `lo` carries the addresses of the
 * private network, and which has a way out that leads nowhere. It needs no root where user namespaces are allowed, reaches nothing outside,
 * and takes every daemon with it when it ends. `prompt`: see `PROMPT_LOOPBACK`.
 */
export function inI2pNamespace(
  command: readonly string[],
  { prompt = false }: { readonly prompt?: boolean } = {},
): readonly [string, readonly string[]] {
  const flags = ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const setUp = `set -e; ip link set lo up; ${prompt ? `${PROMPT_LOOPBACK.join('; ')}; ` : ''}${WAY_OUT.join('; ')}; i=10; while [ $i -le ${LAST} ]; do ip addr add 198.18.77.$i/32 dev lo; i=$((i+1)); done; "$@"`
  return ['unshare', [...flags, 'sh', '-c', setUp, 'sh', ...command]]
}
