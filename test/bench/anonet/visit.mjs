/**
 * One measurement of one way: connections one after the other, then one download. Prints JSON.
 * Use: node visit.mjs HOST PORT CONNECTIONS BYTES
 */
import { connect } from 'node:net'

const [, , host, port, connections, bytes] = process.argv

/** Milliseconds from the dial to the first byte and to the last. */
function fetchBytes(count) {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const head = Buffer.alloc(8)
    head.writeBigUInt64BE(BigInt(count))
    let first
    let got = 0
    const socket = connect({ host, port: Number(port), noDelay: true }, () => socket.end(head))
    socket.on('data', (data) => {
      first ??= performance.now() - began
      got += data.length
    })
    socket.on('end', () =>
      got === count ? resolve({ first, last: performance.now() - began }) : reject(new Error(`${got} of ${count} bytes`)),
    )
    socket.on('error', reject)
    socket.setTimeout(60_000, () => socket.destroy(new Error('no byte for a minute')))
  })
}

const firsts = []
for (let count = 0; count < Number(connections); count++) firsts.push((await fetchBytes(1)).first)
const { last } = await fetchBytes(Number(bytes))
const sorted = firsts.toSorted((a, b) => a - b)
console.log(JSON.stringify({ ttfb: sorted[Math.floor(sorted.length / 2)], down: Number(bytes) / 1e6 / (last / 1_000) }))
