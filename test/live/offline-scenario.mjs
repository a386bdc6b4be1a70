/**
 * Publishes a service with the built command, visits it through `beam connect`, and ends both with Ctrl-C. Runs inside a network namespace;
 * prints one JSON document with what came out. Plain JavaScript, because it is started without a loader.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { fileURLToPath } from 'node:url'

const BEAM = fileURLToPath(new URL('../../cli/bin/run.js', import.meta.url))
const STEP_MS = 20_000

/** Starts beam; `until(event)` waits for an event of its output. */
function beam(...args) {
  const child = spawn(process.execPath, [BEAM, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const events = []
  const waiting = []
  let output = ''
  let errors = ''
  child.stderr.on('data', (data) => (errors += data))
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    for (let end = output.indexOf('\n'); end >= 0; end = output.indexOf('\n')) {
      events.push(JSON.parse(output.slice(0, end)))
      output = output.slice(end + 1)
    }
    for (const look of waiting) look()
  })
  const closed = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)))
  const until = (name) =>
    new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`beam ${args.join(' ')}: no ${name} event ${why}: ${JSON.stringify(events)} ${errors}`))
      const timer = setTimeout(fail, STEP_MS, `in ${STEP_MS / 1000} s`)
      const look = () => {
        const found = events.find(({ event }) => event === name)
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      }
      waiting.push(look)
      look()
      void closed.then((code) => fail(`before it ended with ${code}`))
    })
  return {
    until,
    async interrupt() {
      child.kill('SIGINT')
      const timer = setTimeout(() => child.kill('SIGKILL'), STEP_MS)
      const code = await closed
      clearTimeout(timer)
      return code
    },
  }
}

/** Packets that each interface of this namespace has sent. */
function sentPackets() {
  const rows = readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2).filter(Boolean)
  return Object.fromEntries(rows.map((row) => row.trim().split(/[:\s]+/)).map((columns) => [columns[0], Number(columns[10])]))
}

const body = 'x'.repeat(100_000)
const service = http.createServer((_, response) => response.end(body)).listen(0, '127.0.0.1')
await new Promise((resolve) => service.once('listening', resolve))

const publisher = beam(String(service.address().port))
const { tunnel } = await publisher.until('ready')
const visitor = beam('connect', tunnel.endpoints[0].address, '--port', '0')
const { host, port } = await visitor.until('listening')
const answer = await fetch(`http://${host}:${port}/`)
const received = await answer.text()
const exitCodes = [await visitor.interrupt(), await publisher.interrupt()]
service.close()
console.log(JSON.stringify({ status: answer.status, intact: received === body, exitCodes, sent: sentPackets() }))
