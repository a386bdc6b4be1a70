import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import type { ExecutableOptions } from '../../../plugins/executable/index.ts'
import type { Methods } from '../../../plugins/executable/messages.ts'

/** Speaks the protocol to an executable line by line, so that a test can do what Beam would never do. */
async function converse(
  options: ExecutableOptions,
  home: string,
): Promise<AsyncDisposable & { call<R>(method: string, params: object): Promise<R> }> {
  const [program = '', ...args] = options.command
  const child = spawn(program, args, { cwd: options.cwd, stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const waiting = new Map<number, (result: unknown) => void>()
  createInterface(child.stdout).on('line', (line) => {
    const { id, result } = JSON.parse(line) as { id?: number; result?: unknown }
    if (id !== undefined) waiting.get(id)?.(result)
  })
  let lastId = 0
  const call = <R>(method: string, params: object): Promise<R> => {
    const id = ++lastId
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return new Promise((resolve) => waiting.set(id, (result) => resolve(result as R)))
  }
  const data = join(home, 'conversation')
  mkdirSync(data)
  await call('initialize', { protocolVersions: [1], name: options.name, config: {}, paths: { data, state: data } })
  return {
    call,
    // The end of its input is all that it is told.
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}

/** What comes back after these words, until the other side closes or resets. */
function say(port: number, words: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    socket.setEncoding('utf8').on('data', (text: string) => (heard += text))
    socket.on('error', (error: NodeJS.ErrnoException) => (heard += String(error.code)))
    socket.on('close', () => resolve(heard))
    socket.end(words)
  })
}

/** Declares the test that a dialled stream is only for whoever says its token, and only once. */
export function testHandOver(options: ExecutableOptions, home: string): void {
  it('hands a dialled stream over to the first that says the token, and ends when its input ends', async () => {
    const far = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
    await new Promise<void>((resolve) => far.listen(0, '127.0.0.1', resolve))
    try {
      await using executable = await converse(options, home)
      const address = `${options.name}://127.0.0.1:${(far.address() as AddressInfo).port}`
      const { socket, token } = await executable.call<Methods['dial']['result']>('dial', { address })
      if (!('port' in socket)) throw new Error('this example hands over ports')
      expect(await say(socket.port, `${'x'.repeat(token.length)}\nlet me in`)).not.toContain('let me in')
      expect(await say(socket.port, `${token}\nhello`)).toBe('hello')
      expect(await say(socket.port, `${token}\nagain`)).not.toContain('again')
    } finally {
      await new Promise((resolve) => far.close(resolve))
    }
  })
}
