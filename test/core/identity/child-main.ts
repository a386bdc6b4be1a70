/** The process behind child.ts. */
import { isBeamError } from '../../../core/errors.ts'
import { openKeyStore } from '../../../core/identity/key-store.ts'
import { lockName } from '../../../core/identity/name-lock.ts'
import { openPins } from '../../../core/records/pins.ts'
import type { Command } from './child.ts'

let lock: AsyncDisposable | undefined

async function obey(command: Command): Promise<string> {
  switch (command.do) {
    case 'lock':
      lock = await lockName(command, command.name)
      return 'won'
    case 'release':
      await lock?.[Symbol.asyncDispose]()
      lock = undefined
      return 'released'
    case 'service-key':
      return Buffer.from((await openKeyStore(command).serviceKey(command.name)).publicKey).toString('hex')
    case 'pin':
      await openPins(command).accept(command.name, Buffer.from(command.key, 'hex'))
      return 'accepted'
  }
}

process.on('message', (command: Command) => {
  obey(command).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.(isBeamError(error) ? error.code : String(error)),
  )
})
process.send?.('started')
