/**
 * Several Beams of one user in one mesh: the first keeps the namespace, the others are its guests, and one of them takes over when the first
 * is killed. Use: node guest-scenario.mjs BEAM-FOLDER
 */
import { befriend, core, newBackend, newPaths, until } from './backends.mjs'
import { execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const [, , , role, paths] = process.argv
if (role === 'keeper') {
  // The first Beam of the user, in a process that can be killed.
  const backend = newBackend({ listenPort: 51_820 }, JSON.parse(paths))
  await backend.initialize()
  console.log('keeps')
  setInterval(() => {}, 1_000)
} else {
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  const user = newPaths()
  const guest = newBackend({ listenPort: 51_820 }, user)
  const friend = newBackend({ listenPort: 51_830 })
  await befriend(guest, friend)
  const self = fileURLToPath(import.meta.url)
  const keeper = spawn(process.execPath, ['--no-warnings', self, process.argv[2], 'keeper', JSON.stringify(user)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(keeper.stdout, 'data')
  await Promise.all([guest.initialize(), friend.initialize()])
  const service = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  await once(service, 'listening')
  const { endpoints } = await guest.startTunnel(service.address().port)
  const echo = async (from, word) => {
    const stream = await from.dial(endpoints[0].address)
    stream.end(word)
    let heard = ''
    for await (const part of stream) heard += part
    return heard
  }
  const report = { asGuest: await echo(friend, 'as a guest'), fromGuest: await echo(guest, 'from a guest') }
  report.friends = (await guest.operate('status')).friends.map(({ established }) => established)
  keeper.kill('SIGKILL')
  await until(
    'the guest keeps the mesh now',
    () =>
      echo(friend, 'taken over').then(
        (heard) => heard === 'taken over',
        () => false,
      ),
    60_000,
  )
  report.takenOver = true
  await Promise.all([guest[Symbol.asyncDispose](), friend[Symbol.asyncDispose]()])
  service.close()
  await core.sleep(200)
  report.left = execFileSync('sh', ['-c', 'ps ax | grep -cE "[w]ireguard-go|[i]nside/main" || true'], { encoding: 'utf8' }).trim()
  process.stdout.write(JSON.stringify(report))
  process.exit(0)
}
