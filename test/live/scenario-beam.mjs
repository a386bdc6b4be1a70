/** Starts the built command inside a scenario. Plain JavaScript, because scenarios are started without a loader. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const BEAM = fileURLToPath(new URL('../../cli/bin/run.js', import.meta.url))
const STEP_MS = 20_000

/** Starts beam; `until(event)` waits for an event of its output. */
export const beam = (...args) => beamIn({}, ...args)

/** Starts beam behind another program (`ip netns exec …`) and with more variables; {@link beam}. */
export function beamIn({ prefix = [], env = {} }, ...args) {
  const [program, ...words] = [...prefix, process.execPath, BEAM, ...args, '--json']
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const events = []
  const waiting = []
  let output = ''
  let errors = ''
  child.stderr.on('data', (data) => (errors += data))
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    for (let end = output.indexOf('\n'); end >= 0; end = output.indexOf('\n')) {
      events.push(JSON.parse(output.slice(0, end)))
      output = output.slice(end + 1)
    }
    for (const look of waiting) look()
  })
  const closed = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)))
  const until = (name) =>
    new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`beam ${args.join(' ')}: no ${name} event ${why}: ${JSON.stringify(events)} ${errors}`))
      const timer = setTimeout(fail, STEP_MS, `in ${STEP_MS / 1000} s`)
      const look = () => {
        const found = events.find(({ event }) => event === name)
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      }
      waiting.push(look)
      look()
      void closed.then((code) => fail(`before it ended with ${code}`))
    })
  return {
    events,
    closed,
    until,
    async interrupt() {
      child.kill('SIGINT')
      const timer = setTimeout(() => child.kill('SIGKILL'), STEP_MS)
      const code = await closed
      clearTimeout(timer)
      return code
    },
  }
}
