import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { cleanEnvironment } from './children.ts'
import type { Result } from './load/protocol.ts'
import { installed } from './peers/installed.ts'

/** Whether wrk makes the closed loops of requests; the load in Node does otherwise. */
export const wrkInstalled = (): boolean => installed('wrk') !== undefined

/** Runs wrk with one thread, like the load in Node. */
export async function wrk(port: number, inFlight: number, seconds: number, keepAlive: boolean, signal: AbortSignal): Promise<Result> {
  const close = keepAlive ? [] : ['-H', 'Connection: close']
  const args = ['-t1', `-c${inFlight}`, `-d${seconds}s`, '--timeout', '10s', ...close, `http://127.0.0.1:${port}/`]
  const options = { env: cleanEnvironment('/'), timeout: (seconds + 20) * 1000, signal }
  const { stdout } = await promisify(execFile)(installed('wrk')!, args, options)
  return parseWrk(stdout)
}

/** Reads the report of wrk. */
export function parseWrk(text: string): Result {
  const [, count, time, unit] = /(\d+) requests in ([\d.]+)(ms|s|m),/.exec(text) ?? []
  if (count === undefined) throw new RangeError('not a report of wrk')
  const seconds = Number(time) * (unit === 'm' ? 60 : unit === 'ms' ? 0.001 : 1)
  const kinds = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [0, 0, 0, 0]
  const [connect, read, write, timeout] = kinds.map(Number)
  const answers = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
  const errors = {
    'connect errors': connect!,
    'read errors': read!,
    'write errors': write!,
    'timeout errors': timeout!,
    'answer errors': answers,
  }
  return { count: Number(count), seconds, ...errors }
}
