import { expect, it } from 'vitest'
import { lossyRoutes } from './lossy-routes.ts'

// The networks of tests hand bytes over within the call that writes them: an answer comes while its question is still being sent.
it.each([['one path', ['red']] as const, ['two paths', ['red', 'green']] as const])(
  'what is answered in the turn in which it is asked arrives, and needs no other event for it: %s',
  async (_, labels) => {
    for (const size of [1, 4_000, 20_000, 70_000, 200_000, 500_000]) {
      const { clock, open } = lossyRoutes((stream) => void stream.on('data', () => stream.write(Buffer.alloc(size))), labels)
      const stream = await open()
      let heard = 0
      stream.on('data', (chunk: Buffer) => (heard += chunk.length))
      // What is left of a timer of the beginning must not help.
      await clock.pass(500)
      for (let times = 1; times <= 3; times++) {
        stream.write('more')
        await clock.pass(100)
        expect(heard).toBe(times * size)
      }
      stream.destroy()
    }
  },
)
