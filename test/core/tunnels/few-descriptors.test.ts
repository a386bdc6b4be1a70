import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const script = fileURLToPath(new URL('few-descriptors-process.ts', import.meta.url))

// The limit is a matter of POSIX systems.
it.runIf(process.platform !== 'win32')('a local port survives a time without descriptors', async () => {
  const command = `ulimit -n 96 && exec "$0" --import tsx --conditions=beam:source "$1"`
  const child = spawn('sh', ['-c', command, process.execPath, script], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const port = Number(line.toString())
    const ask = async (): Promise<string> => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.end('x')
      return text(socket)
    }
    const held: Socket[] = []
    let lost = 0
    for (let index = 0; index < 150; index++) {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.on('error', () => {}).once('close', () => (lost += 1))
      socket.write('y')
      held.push(socket)
    }
    await expect.poll(() => lost, { timeout: 10_000 }).toBeGreaterThan(0)
    for (const socket of held) socket.destroy()
    await expect.poll(() => ask().catch(() => ''), { timeout: 10_000 }).toBe('x')
    child.stdin.end()
    expect(await once(child, 'exit')).toEqual([0, null])
  } finally {
    child.kill()
  }
})
