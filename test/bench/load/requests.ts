import { connect } from 'node:net'
import { percentile } from '../../../plugins/benchmark/statistics.ts'
import { BODY_BYTES, type Result } from './protocol.ts'

const KEEP = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
const CLOSE = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')

/** A closed loop of HTTP requests with `inFlight` of them at a time: on the same connections, or on a new connection for each. */
export async function loop(port: number, inFlight: number, seconds: number, keepAlive: boolean): Promise<Result> {
  const begin = performance.now()
  const until = begin + seconds * 1000
  const workers = Array.from({ length: inFlight }, async () => {
    let done = 0
    let errors = 0
    while (performance.now() < until) {
      try {
        done += await (keepAlive ? requestsUntil(port, until) : oneRequest(port))
      } catch {
        errors++
      }
    }
    return { done, errors }
  })
  const results = await Promise.all(workers)
  return {
    count: results.reduce((sum, { done }) => sum + done, 0),
    errors: results.reduce((sum, { errors }) => sum + errors, 0),
    seconds: (performance.now() - begin) / 1000,
  }
}

function requestsUntil(port: number, until: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let done = 0
    let left = Infinity
    let head = ''
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => socket.write(KEEP))
    socket.on('error', reject)
    socket.on('close', () => resolve(done))
    socket.on('data', (chunk) => {
      if (left === Infinity) {
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        left = BODY_BYTES - (head.length - end - 4)
      } else left -= chunk.length
      if (left > 0) return
      done++
      left = Infinity
      head = ''
      if (performance.now() < until) socket.write(KEEP)
      else socket.destroy()
    })
  })
}

function oneRequest(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => socket.write(CLOSE))
    socket.on('data', (chunk) => (received += chunk.length))
    socket.on('error', reject)
    socket.on('close', () => (received > BODY_BYTES ? resolve(1) : reject(new Error('closed before the answer'))))
  })
}

/** New connections one after the other: milliseconds from the dial to the first byte of the answer. A closed loop. */
export async function firstByte(port: number, count: number): Promise<Result> {
  const times: number[] = []
  for (let round = 0; round < count; round++) times.push(await timeToFirstByte(port))
  return { count, p50: percentile(times, 0.5), p99: percentile(times, 0.99), max: percentile(times, 1) }
}

function timeToFirstByte(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let first = 0
    const begin = performance.now()
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => socket.write(CLOSE))
    socket.once('data', () => (first = performance.now() - begin))
    socket.resume()
    socket.on('error', reject)
    // The next one starts when this one is gone.
    socket.on('close', () => (first > 0 ? resolve(first) : reject(new Error('closed before the first byte'))))
  })
}
