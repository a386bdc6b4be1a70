/**
 * Four friends in a ring, A–B–C–D–A, each with a Beam that keeps its own mesh. Prints one JSON document with what came out.
 * Use: node ring-scenario.mjs BEAM-FOLDER
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { BeamUser, befriend, eventually } from '../../helpers/anonet-ring/beams.mjs'
import { addHosts, cut, interfaces, join, mend, on, processes, start } from '../../helpers/anonet-ring/hosts.mjs'

const [, , BEAM] = process.argv
const LINKS = [
  ['A', 'B'],
  ['B', 'C'],
  ['C', 'D'],
  ['D', 'A'],
]
const BODY = 'the service of A'
const report = {}

addHosts(['A', 'B', 'C', 'D'])
for (const [k, [a, b]] of LINKS.entries()) join(a, b, k + 1)
const users = Object.fromEntries(['A', 'B', 'C', 'D'].map((name) => [name, new BeamUser(BEAM, name, { mode: 'managed', nickname: name })]))
for (const [k, [a, b]] of LINKS.entries()) await befriend(users[a], users[b], k + 1)

const service = `const n=require('node:net'),h=require('node:http');h.createServer((q,r)=>r.end(${JSON.stringify(BODY)})).listen(3000,'127.0.0.1');n.createServer(s=>s.pipe(s)).listen(3001,'127.0.0.1',()=>console.log('up'))`
for (const host of ['A', 'B', 'D']) start(host, [process.execPath, '-e', service])
const publishers = {
  A: users.A.stay('3000', '--friend-to-friend'),
  B: users.B.stay('3000', '--friend-to-friend', '--anonet-port', '4000'),
  D: users.D.stay('3000', '--backend', 'anonet'),
}
const published = await publishers.A.until('ready')
const address = published.tunnel.endpoints[0].address
await Promise.all([publishers.B.until('ready'), publishers.D.until('ready')])
const connecting = users.C.stay('connect', address, '--port', '8080')
await connecting.until('listening')
report.page = on('C', 'curl', '--silent', '--max-time', '10', 'http://127.0.0.1:8080/')

const status = async (user) => (await user.json('anonet', 'status')).meshes[0]
const everywhere = await eventually('all sessions and BFD are up', async () => {
  const states = await Promise.all(Object.values(users).map(status))
  return states.every(({ friends }) => friends.length === 2 && friends.every(({ established, bfd }) => established && bfd === 'Up'))
    ? states
    : undefined
})
report.keysShown = JSON.stringify(everywhere).match(/private/gi)

// Which way C goes to A, and that way dies without a word.
const prefixOfA = (await users.A.json('anonet', 'friends')).prefix
const mesh = await eventually('C says how it is', () => status(users.C))
const through = mesh.routes.find(({ prefix, primary }) => prefix === prefixOfA && primary).via
const neighbour = mesh.friends.find(({ id }) => through === `friend_${id}`).name
report.throughFriend = ['B', 'D'].includes(neighbour)

/** One visit of A's service, from C, over a connection of its own. */
const visit = () => {
  const [program, ...args] = ['ip', 'netns', 'exec', 'C', 'curl', '--silent', '--fail', '--max-time', '3', 'http://127.0.0.1:8080/']
  return { program, args }
}
const { spawn } = await import('node:child_process')
const visits = []
function probe() {
  const { program, args } = visit()
  const began = performance.now()
  const child = spawn(program, args, { stdio: 'ignore' })
  visits.push(new Promise((resolve) => child.on('close', (code) => resolve({ began, took: performance.now() - began, ok: code === 0 }))))
}
// A bounded number of visits: 40 a second at most, for four seconds.
probe()
await sleep(500)
const cutAt = performance.now()
cut('C', neighbour)
for (let index = 0; index < 60; index++) {
  probe()
  await sleep(50)
}
const all = await Promise.all(visits)
// Works again: the first visit after the cut that is answered as fast as before, and so does every later one.
const after = all.filter(({ began }) => began >= cutAt)
const good = ({ ok, took }) => ok && took < 900
const back = after.findIndex((_, index) => after.slice(index).every(good))
report.outageMs = back < 0 ? undefined : Math.round(after[back].began - cutAt)
report.lostVisits = all.filter(({ ok }) => !ok).length
mend('C', neighbour)

await eventually('the mended link is used again', async () => (await status(users.C)).friends.every(({ established }) => established))

// A and B are friends no more: B reaches A over C and D.
await users.A.json('anonet', 'revoke', 'B')
const gone = await eventually('the session has ended', async () => {
  const [a, b] = [await status(users.A), await status(users.B)]
  return a.friends.length === 1 && b.friends.some(({ name, established }) => name === 'A' && !established) ? b : undefined
})
report.revoked = {
  friendsOfA: (await eventually('A says how it is', () => status(users.A))).friends.map(({ name }) => name),
  seenByB: gone.friends.find(({ name }) => name === 'A').established,
}
report.pageAfterRevoke = on('C', 'curl', '--silent', '--max-time', '10', 'http://127.0.0.1:8080/')

// B is killed, without a chance to clean up; the others are interrupted.
report.before = { inside: processes('anonet/managed/inside/main').length > 0, wireguard: processes('wireguard-go').length }
publishers.B.child.kill('SIGKILL')
await publishers.B.closed
report.exitCodes = [await connecting.interrupt(), await publishers.A.interrupt(), await publishers.D.interrupt()]
await eventually(
  'nothing is left',
  () => processes('wireguard-go').length + processes('bird -f').length + processes('inside/main').length === 0,
  10_000,
)
report.left = { interfaces: Object.fromEntries(['A', 'B', 'C', 'D'].map((host) => [host, interfaces(host)])) }
process.stdout.write(JSON.stringify(report))
process.exit(0)
