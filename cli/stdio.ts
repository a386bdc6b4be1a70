import { closeSync, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { devNull } from 'node:os'
import type { Duplex, Readable, Writable } from 'node:stream'
import { UnreachableError, isBeamError } from '../core/errors.ts'

/**
 * Standard output as a stream that can be ended: neither `process.stdout.end()` nor libuv closes the descriptor, so a reader behind a pipe
 * would never see the end of what the far service sent. Files and terminals have nobody waiting for an end and stay as they are.
 */
export function endableStdout(): Writable {
  const stat = fstatSync(1)
  if (!stat.isFIFO() && !stat.isSocket()) return process.stdout
  const output = new Socket({ fd: 1, readable: false, writable: true })
  output.once('close', () => {
    closeSync(1)
    // Takes the number that has become free, so that nothing else opened later is taken for standard output.
    openSync(devNull, 'w')
  })
  return output
}

/**
 * Carries raw bytes between a stream and standard input and output until both directions have ended. The end of one direction is passed
 * on and leaves the other one open. A reader that goes away ends it without an error.
 * @throws UnreachableError (`BEAM_ERR_STREAM_RESET`) when the far end breaks off
 */
export function joinStdio(stream: Duplex, input: Readable, output: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (error?: Error): void => {
      input.unpipe(stream).pause()
      stream.on('error', () => {}).destroy()
      if (error === undefined) resolve()
      else reject(error)
    }
    const onAbort = (): void => giveUp(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) return onAbort()
    stream.on('error', (error) => giveUp(isBeamError(error) ? error : brokenOff(error)))
    // Not on `finish`: what was written is on its way only once the stream has closed by itself.
    stream.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      if (!stream.readableEnded || !stream.writableFinished) giveUp(brokenOff())
      else if (output === process.stdout || output.writableFinished) resolve()
      else output.once('finish', resolve)
    })
    output.on('error', () => giveUp())
    input.on('error', () => stream.end())
    input.pipe(stream)
    stream.pipe(output, { end: output !== process.stdout })
  })
}

function brokenOff(cause?: unknown): UnreachableError {
  return new UnreachableError('The far end broke the connection off.', { code: 'BEAM_ERR_STREAM_RESET', cause })
}
