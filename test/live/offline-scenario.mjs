/**
 * Publishes a service with the built command, visits it through `beam connect`, and ends both with Ctrl-C. Runs inside a network namespace;
 * prints one JSON document with what came out. Plain JavaScript, because it is started without a loader.
 */
import http from 'node:http'
import { beam } from './scenario-beam.mjs'
import { sentPackets } from './sent-packets.mjs'

const body = 'x'.repeat(100_000)
const service = http.createServer((_, response) => response.end(body)).listen(0, '127.0.0.1')
await new Promise((resolve) => service.once('listening', resolve))

const begin = performance.now()
const publisher = beam(String(service.address().port))
const { tunnel } = await publisher.until('ready')
const readyMs = Math.round(performance.now() - begin)
const visitor = beam('connect', tunnel.endpoints[0].address, '--port', '0')
const { host, port } = await visitor.until('listening')
const answer = await fetch(`http://${host}:${port}/`)
const received = await answer.text()
const exitCodes = [await visitor.interrupt(), await publisher.interrupt()]
service.close()
console.log(JSON.stringify({ status: answer.status, intact: received === body, exitCodes, readyMs, sent: sentPackets() }))
