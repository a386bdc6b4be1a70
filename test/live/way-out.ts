/**
 * Commands that give a network namespace an interface with an address and a default route, whose far end nobody reads: what is sent through
 * it would have left the machine.
 */
export const WAY_OUT: readonly string[] = [
  'ip link add out0 type veth peer name out1',
  'ip link set out0 addrgenmode none',
  'ip link set out1 addrgenmode none',
  'ip addr add 192.0.2.1/24 dev out0',
  'ip link set out1 up',
  'ip link set out0 up',
  'ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev out0 nud permanent',
  'ip route add default via 192.0.2.2',
]
