/**
 * Two Beams of an ordinary user on one machine, who may make namespaces but is not root: WireGuard's packets are relayed. Then the same where
 * something is missing. Use: node rootless-scenario.mjs BEAM-FOLDER (which starts itself again as that user)
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [, , BEAM, part] = process.argv
const self = fileURLToPath(import.meta.url)

/** Runs a part as user 1000, in a user namespace without privileges. */
function asUser(name) {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--user', '--map-user=1000', '--map-group=1000', process.execPath, '--no-warnings', self, BEAM, name],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${name}: ${stdout}${stderr}`)
  return JSON.parse(stdout)
}

async function twoBeams() {
  const { befriend, newBackend, until } = await import('./backends.mjs')
  const [a, b] = [newBackend({ listenPort: 51_820 }), newBackend({ listenPort: 51_830 })]
  await befriend(a, b)
  await Promise.all([a.initialize(), b.initialize()])
  // Echoes to the end of what it hears, and only then ends.
  const service = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await new Promise((resolve) => service.once('listening', resolve))
  const { endpoints } = await a.startTunnel(service.address().port)
  const stream = await b.dial(endpoints[0].address)
  const sent = Buffer.alloc(4 << 20, 'relayed ')
  stream.end(sent)
  const parts = []
  for await (const part of stream) parts.push(part)
  const { uplink, friends } = await a.operate('status')
  await until('the handshake is seen', async () => (await a.operate('status')).friends[0].linkAlive)
  // What a killed namespace leaves is made anew, and the service is there again.
  const inside = execFileSync('pgrep', ['-f', 'inside/main'], { encoding: 'utf8' }).trim().split('\n')
  for (const pid of inside) process.kill(Number(pid), 'SIGKILL')
  let again = ''
  await until(
    'the service is back',
    async () => {
      try {
        const next = await b.dial(endpoints[0].address)
        next.end('again')
        for await (const part of next) again += part
        return again === 'again'
      } catch {
        again = ''
        return false
      }
    },
    40_000,
  )
  await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()])
  service.close()
  const left = spawnSync('pgrep', ['-f', 'wireguard-go|inside/main'], { encoding: 'utf8' }).stdout.trim()
  return { user: process.getuid(), uplink, friends: friends.length, intact: Buffer.concat(parts).equals(sent), again, left }
}

/** What is said when Beam cannot do it. */
async function refusal() {
  const { newBackend } = await import('./backends.mjs')
  const backend = newBackend()
  try {
    await backend.initialize()
    return { message: 'it worked', hint: '' }
  } catch (error) {
    return { code: error.code, message: error.message, hint: error.hint }
  } finally {
    await backend[Symbol.asyncDispose]()
  }
}

/** The port that a friend was told is taken by somebody else. */
async function portTaken() {
  const { befriend, newBackend } = await import('./backends.mjs')
  const [a, b] = [newBackend({ listenPort: 51_820 }), newBackend({ listenPort: 51_830 })]
  await befriend(a, b)
  const other = createSocket('udp4').bind(51_820, '0.0.0.0')
  await new Promise((resolve) => other.once('listening', resolve))
  const failed = await a.initialize().catch((error) => ({ code: error.code, message: error.message, hint: error.hint }))
  other.close()
  await a[Symbol.asyncDispose]()
  return failed
}

const parts = { twoBeams, refusal, portTaken }
if (part === undefined) {
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  const report = { twoBeams: asUser('twoBeams'), portTaken: asUser('portTaken') }
  const closed = join(process.env.HOME, 'tun')
  writeFileSync(closed, '')
  chmodSync(closed, 0o000)
  execFileSync('mount', ['--bind', closed, '/dev/net/tun'])
  report.noTun = asUser('refusal')
  execFileSync('umount', ['/dev/net/tun'])
  process.stdout.write(JSON.stringify(report))
} else {
  process.stdout.write(JSON.stringify(await parts[part]()))
}
process.exit(0)
