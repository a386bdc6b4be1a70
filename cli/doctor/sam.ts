import { connect } from 'node:net'
import type { Check, Finding } from './finding.ts'

/** Where routers of I2P offer SAM by default. */
const SAM_PORT = 7656
const DEADLINE_MS = 3_000
/** A greeting has 50 bytes; whoever says more without one is something else. */
const MAX_ANSWER_BYTES = 1_024

type Result = Pick<Finding, 'state' | 'detail' | 'advice'>

/** Whether a router of I2P offers SAM on this machine. */
export function samCheck(env: NodeJS.ProcessEnv = process.env): Check {
  const given = Number(env['BEAM_I2P_SAM_PORT'])
  const port = Number.isInteger(given) && given > 0 && given < 65_536 ? given : SAM_PORT
  return { group: 'daemons', id: 'sam', title: 'SAM (I2P)', deadlineMs: DEADLINE_MS + 1_000, run: () => greet(port) }
}

function greet(port: number): Promise<Result> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    let said = ''
    const settle = (result: Result): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const wrong = (): void =>
      settle({
        state: 'limited',
        detail: `what listens on 127.0.0.1:${port} does not speak SAM`,
        advice: 'Set backends.i2p.config.sam_port to the SAM port of the router.',
      })
    const timer = setTimeout(wrong, DEADLINE_MS)
    socket.once('connect', () => socket.write('HELLO VERSION MIN=3.1 MAX=3.3\n'))
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1')
      const version = /^HELLO REPLY RESULT=OK VERSION=(\d\.\d)\s/.exec(said)?.[1]
      if (version !== undefined) settle({ state: 'ok', detail: `version ${version} on 127.0.0.1:${port}` })
      else if (said.includes('\n') || said.length > MAX_ANSWER_BYTES) wrong()
    })
    socket.once('close', wrong)
    socket.once('error', () =>
      settle({
        state: 'absent',
        detail: `nothing on 127.0.0.1:${port} (--i2p starts a private i2pd where that is installed)`,
        advice: 'To use a router that runs already, switch SAM on: [sam] enabled = true',
      }),
    )
  })
}
