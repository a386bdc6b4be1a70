/**
 * A small Internet made of network namespaces: two hosts behind address translators (NAT) of a chosen kind, two public machines, a bridge
 * between them. Nothing leads out of it. Runs in namespaces of its own (network, mounts, processes); plain JavaScript, because it is
 * started without a loader.
 *
 *   hA 10.1.0.2 -- natA 44.0.0.11 --+
 *                                   +-- bridge -- pub 44.0.0.1, pub2 44.0.0.2
 *   hB 10.2.0.2 -- natB 44.0.0.22 --+
 *
 * 44.0.0.0/24 stands for public addresses: some libraries take the documentation ranges for private ones.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

/** The kinds of translators. */
const KINDS = {
  /** Keeps the port for all destinations, lets in whom was written to: what Linux routers do. */
  cone: 'oifname "wan" masquerade persistent',
  /** Another port for each destination. */
  symmetric: 'oifname "wan" masquerade fully-random',
  /** As `cone`, with a range of ports forwarded to the host. */
  fullcone: 'oifname "wan" masquerade persistent',
  /** As `cone`, without UDP. */
  'udp-blocked': 'oifname "wan" masquerade persistent',
  /** As `cone`, and lets in what its port mapping service leads to the host. */
  igd: 'oifname "wan" masquerade persistent',
  /** Two of the kind `cone`, one behind the other. */
  double: 'oifname "wan" masquerade persistent',
}

/** Ports that `fullcone` forwards. */
export const FORWARDED = { from: 40_000, to: 40_999 }

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] })
export const inside = (host) => ['ip', 'netns', 'exec', host]
const on = (host, command, ...args) =>
  execFileSync('ip', ['netns', 'exec', host, command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })

function addHost(name) {
  ip('netns', 'add', name)
  ip('-n', name, 'link', 'set', 'lo', 'up')
}

/** A cable from a host to the bridge. */
function wan(host, address) {
  ip('-n', 'isp', 'link', 'add', `v${host}`, 'type', 'veth', 'peer', 'name', 'wan', 'netns', host)
  ip('-n', 'isp', 'link', 'set', `v${host}`, 'master', 'br0', 'up')
  ip('-n', host, 'address', 'add', `${address}/24`, 'dev', 'wan')
  ip('-n', host, 'link', 'set', 'wan', 'up')
}

/** A cable from a host to its router; `name` is the host's interface. */
function lan(host, router, net, name = 'eth0') {
  ip('-n', host, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'lan', 'netns', router)
  ip('-n', host, 'address', 'add', `${net}.2/24`, 'dev', name)
  ip('-n', host, 'link', 'set', name, 'up')
  ip('-n', router, 'address', 'add', `${net}.1/24`, 'dev', 'lan')
  ip('-n', router, 'link', 'set', 'lan', 'up')
  ip('-n', host, 'route', 'add', 'default', 'via', `${net}.1`)
}

function translate(router, kind, host) {
  const ports = `${FORWARDED.from}-${FORWARDED.to}`
  const forward =
    kind === 'fullcone' ? `iifname "wan" tcp dport ${ports} dnat to ${host}; iifname "wan" udp dport ${ports} dnat to ${host};` : ''
  const rules = `
    table ip nat {
      chain pre { type nat hook prerouting priority dstnat; policy accept; ${forward} }
      chain post { type nat hook postrouting priority srcnat; policy accept; ${KINDS[kind]}; }
    }
    table ip filter {
      chain through {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        ${kind === 'udp-blocked' ? 'ip protocol udp drop' : ''}
        iifname "lan" oifname "wan" accept
        ${kind === 'fullcone' || kind === 'igd' ? 'iifname "wan" ct status dnat accept' : ''}
      }
      chain inward { type filter hook input priority filter; policy accept; iifname "wan" ct state new drop; }
    }`
  on(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
  execFileSync('ip', ['netns', 'exec', router, 'nft', '-f', '-'], { input: rules, stdio: ['pipe', 'pipe', 'inherit'] })
}

/** One side: a host behind a translator of a kind, or behind two. */
function side(letter, number, kind) {
  const [host, router] = [`h${letter}`, `nat${letter}`]
  addHost(host)
  addHost(router)
  wan(router, `44.0.0.${number}`)
  if (kind !== 'double') {
    lan(host, router, `10.${number % 10}.0`)
    translate(router, kind, `10.${number % 10}.0.2`)
    return
  }
  const inner = `in${letter}`
  addHost(inner)
  lan(host, inner, `10.${number % 10}.1`)
  lan(inner, router, `10.${number % 10}.0`, 'wan')
  translate(router, 'cone', `10.${number % 10}.0.2`)
  translate(inner, 'cone', `10.${number % 10}.1.2`)
}

/** Builds it. */
export function buildLab(kindA, kindB) {
  execFileSync('mount', ['-t', 'tmpfs', 'none', '/run'])
  mkdirSync('/run/netns')
  addHost('isp')
  ip('-n', 'isp', 'link', 'add', 'br0', 'type', 'bridge')
  ip('-n', 'isp', 'link', 'set', 'br0', 'up')
  for (const [host, address] of [
    ['pub', '44.0.0.1'],
    ['pub2', '44.0.0.2'],
  ]) {
    addHost(host)
    wan(host, address)
  }
  side('A', 11, kindA)
  side('B', 22, kindB)
}
