/**
 * Hosts in network namespaces, joined two by two by a cable: the internet between friends. Runs inside `unshare --net --mount --pid`, as root
 * or as the root of a user namespace. Plain JavaScript: scenarios are started without a loader.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'

export const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
export const inside = (host, ...command) => ['ip', 'netns', 'exec', host, ...command]

/** Runs a command on a host and returns what it prints. */
export function on(host, ...command) {
  const [program, ...args] = inside(host, ...command)
  return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
}

/** Starts a program on a host; its standard error is shown. */
export function start(host, command, env = {}) {
  const [program, ...args] = inside(host, ...command)
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
}

/** Hosts with nothing but a loopback interface. */
export function addHosts(names) {
  execFileSync('mount', ['-t', 'tmpfs', 'none', '/run'])
  mkdirSync('/run/netns')
  mkdirSync('/run/wireguard')
  ip('link', 'set', 'lo', 'up')
  for (const name of names) {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
  }
}

/** Joins two hosts by cable `k`: 10.99.k.1 and 10.99.k.2, known to these two only. */
export function join(a, b, k) {
  ip('link', 'add', `${a}-${b}`, 'netns', a, 'type', 'veth', 'peer', 'name', `${b}-${a}`, 'netns', b)
  for (const [host, peer, number] of [
    [a, b, 1],
    [b, a, 2],
  ]) {
    ip('-n', host, 'addr', 'add', `10.99.${k}.${number}/30`, 'dev', `${host}-${peer}`)
    ip('-n', host, 'link', 'set', `${host}-${peer}`, 'up')
  }
}

/** Cuts a cable at the end of `b`, without a word to anybody; or mends it. */
export const cut = (a, b) => ip('-n', b, 'link', 'set', `${b}-${a}`, 'down')
export const mend = (a, b) => ip('-n', b, 'link', 'set', `${b}-${a}`, 'up')

/** The interfaces of a host. */
export const interfaces = (host) =>
  JSON.parse(ip('-n', host, '-j', 'link', 'show'))
    .map(({ ifname }) => ifname)
    .toSorted()

/** Processes whose command line contains the text. The scenario sees its own namespace only. */
export function processes(text) {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${Number(pid)}/cmdline`, 'utf8')
        .replaceAll('\0', ' ')
        .trim()
      return line.includes(text) ? [line] : []
    } catch {
      return []
    }
  })
}
