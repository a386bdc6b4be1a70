/** The port mapping service of a home router: miniupnpd, in the namespace of a translator of the lab. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inside } from './nat-lab.mjs'

/** The tables that miniupnpd expects to find. */
const TABLES = `
  table inet filter {
    chain miniupnpd { }
    chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
    chain prerouting_miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
    chain postrouting_miniupnpd { }
    chain postrouting { type nat hook postrouting priority 90; policy accept; jump postrouting_miniupnpd; }
  }`

const on = (router, ...words) => {
  const [command, ...args] = [...inside(router), ...words]
  return { command, args }
}

/** Starts it. `natPmp`: whether it answers PCP and NAT-PMP too, or UPnP only. */
export function startIgd(router, net, { natPmp, folder }) {
  mkdirSync(folder, { recursive: true })
  const nft = on(router, 'nft', '-f', '-')
  execFileSync(nft.command, nft.args, { input: TABLES, stdio: ['pipe', 'pipe', 'inherit'] })
  const config = join(folder, 'miniupnpd.conf')
  const lines = [
    'ext_ifname=wan',
    'listening_ip=lan',
    'http_port=5000',
    `enable_natpmp=${natPmp ? 'yes' : 'no'}`,
    'enable_upnp=yes',
    'secure_mode=yes',
    'uuid=fc4ec57e-b051-11db-88f8-0060085db3f6',
    'upnp_table_name=filter',
    'upnp_nat_table_name=filter',
    'upnp_forward_chain=miniupnpd',
    'upnp_nat_chain=prerouting_miniupnpd',
    'upnp_nat_postrouting_chain=postrouting_miniupnpd',
    `allow 1024-65535 ${net}.0/24 1024-65535`,
    'deny 0-65535 0.0.0.0/0 0-65535',
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const { command, args } = on(router, '/usr/sbin/miniupnpd', '-d', '-f', config, '-P', join(folder, 'pid'))
  // It prints every packet; what matters is seen in its rules.
  return spawn(command, args, { stdio: 'ignore' })
}

/** The ports that are led to hosts now, as the kernel's rules say. */
export function mappedPorts(router) {
  const { command, args } = on(router, 'nft', 'list', 'chain', 'inet', 'filter', 'prerouting_miniupnpd')
  return [...execFileSync(command, args, { encoding: 'utf8' }).matchAll(/dnat.* to (\S+)/g)].map(([, to]) => to)
}
