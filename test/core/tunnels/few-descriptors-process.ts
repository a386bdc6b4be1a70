/** A process of its own for few-descriptors.test.ts: a local port whose far service is in memory; ends when its input ends. */
import { once } from 'node:events'
import { MemoryBackend } from '../../../core/testing/memory-backend.ts'
import { connectTunnel } from '../../../core/tunnels/connect.ts'
import { handleOf } from './puppet-backend.ts'

await using backend = new MemoryBackend()
const { endpoints } = await backend.startTunnel(1, { onStream: (stream) => void stream.on('error', () => {}).pipe(stream) })
await using port = await connectTunnel({ address: endpoints[0]?.address ?? '', handle: handleOf(backend) })
process.stdout.write(`${port.port}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
