/** Highest address that tests may use: 198.18.77.10 to .29. That range counts as public for i2pd and belongs to nobody (RFC 2544). */
const LAST = 29

/**
 * Program and arguments that run a command in a user, network and process namespace of its own, whose `lo` carries the addresses of the
 * private network. It needs no root where user namespaces are allowed, reaches nothing outside, and takes every daemon with it when it ends.
 */
export function inI2pNamespace(command: readonly string[]): readonly [string, readonly string[]] {
  const flags = ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const setUp = `ip link set lo up; i=10; while [ $i -le ${LAST} ]; do ip addr add 198.18.77.$i/32 dev lo; i=$((i+1)); done; "$@"`
  return ['unshare', [...flags, 'sh', '-c', setUp, 'sh', ...command]]
}
