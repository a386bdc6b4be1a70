/** A mesh without Beam, as people who know WireGuard and BIRD make one: what Beam attaches to, and what it is compared with. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join as path } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inside, ip } from './hosts.mjs'

const number = (host) => host.charCodeAt(0) - 64
const asn = (host) => 4242420000 + number(host)
/** The address of a host's services. */
export const meshAddress = (host) => `21.${number(host)}.0.1`

/** Brings up WireGuard on cables that are there (`[a, b]`, the k-th is number k + 1) and BIRD on all hosts. Returns where each BIRD's socket is. */
export async function bareMesh(folder, hosts, links) {
  const configs = new Map(hosts.map((host) => [host, baseConfig(host)]))
  for (const host of hosts) {
    mkdirSync(path(folder, host, 'beam.d'), { recursive: true })
    ip('-n', host, 'addr', 'add', `${meshAddress(host)}/32`, 'dev', 'lo')
    for (const name of ['ip_forward=1', 'conf.all.rp_filter=0', 'conf.default.rp_filter=0']) {
      execFileSync('ip', ['netns', 'exec', host, 'sysctl', '-qw', `net.ipv4.${name}`])
    }
  }
  for (const [index, [a, b]] of links.entries()) {
    const k = index + 1
    const [keyA, keyB] = [keys(), keys()]
    for (const [host, peer, own, other, mine, his] of [
      [a, b, 1, 2, keyA, keyB],
      [b, a, 2, 1, keyB, keyA],
    ]) {
      const name = `w${host}${peer}`
      start(host, ['wireguard-go', '-f', name])
      for (let tries = 0; !existsSync(`/run/wireguard/${name}.sock`) && tries < 1_000; tries++) await sleep(10)
      const file = path(folder, `${name}.key`)
      writeFileSync(file, mine.secret, { mode: 0o600 })
      const peerArgs = [
        'peer',
        his.open,
        'endpoint',
        `10.99.${k}.${other}:${51_000 + k}`,
        'allowed-ips',
        '0.0.0.0/0',
        'persistent-keepalive',
        '25',
      ]
      execFileSync('ip', ['netns', 'exec', host, 'wg', 'set', name, 'private-key', file, 'listen-port', String(51_000 + k), ...peerArgs])
      ip('-n', host, 'addr', 'add', `21.255.${k}.${own}/30`, 'dev', name)
      ip('-n', host, 'link', 'set', name, 'mtu', '1420', 'up')
      configs.set(
        host,
        `${configs.get(host)}protocol bgp p_${peer} from friend { neighbor 21.255.${k}.${other} as ${asn(peer)}; source address 21.255.${k}.${own}; interface "${name}"; }\n`,
      )
    }
  }
  const sockets = {}
  for (const host of hosts) {
    const config = path(folder, host, 'bird.conf')
    sockets[host] = path(folder, host, 'bird.ctl')
    writeFileSync(config, configs.get(host))
    start(host, ['bird', '-f', '-c', config, '-s', sockets[host]])
  }
  return sockets
}

function start(host, command) {
  const [program, ...args] = inside(host, ...command)
  // A session of its own, as Beam's have: where the kernel schedules by sessions (autogroup), daemons of one session wake each other less often.
  return spawn(program, args, { detached: true, stdio: 'ignore', env: { ...process.env, LOG_LEVEL: 'error' } })
}

function keys() {
  const secret = execFileSync('wg', ['genkey'], { encoding: 'utf8' })
  return { secret, open: execFileSync('wg', ['pubkey'], { input: secret, encoding: 'utf8' }).trim() }
}

function baseConfig(host) {
  return `log stderr { error, fatal, bug };
router id ${meshAddress(host)};
protocol device { scan time 2; }
protocol kernel { learn off; persist off; merge paths off; ipv4 { import none; export filter { krt_prefsrc = ${meshAddress(host)}; if source = RTS_BGP then accept; reject; }; }; }
protocol static mine { ipv4; route 21.${number(host)}.0.0/24 blackhole; }
filter ours { if net ~ [ 21.0.0.0/8{24,32} ] && bgp_path.len < 20 then accept; reject; }
protocol bfd { interface "w*" { min rx interval 100 ms; min tx interval 100 ms; idle tx interval 300 ms; multiplier 3; }; }
template bgp friend {
  local as ${asn(host)}; hold time 9; keepalive time 3; connect retry time 2; connect delay time 0; error wait time 1, 5; direct; bfd on;
  ipv4 { import filter ours; export filter { if source ~ [ RTS_STATIC, RTS_BGP ] then accept; reject; }; next hop self; };
}
include "beam.d/*.conf";
`
}
