/** Beams on hosts of the ring, by the command that people use. */
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inside } from './hosts.mjs'

/** Everything in here is loaded by busy processes: it takes seconds on two cores. */
const STEP_MS = 40_000

/** `beam` of the user of a host. */
export class BeamUser {
  constructor(beam, host, config = {}, name = host) {
    this.host = host
    this.home = join(process.env.HOME, name)
    this.beam = join(beam, 'beam.mjs')
    mkdirSync(this.home, { recursive: true, mode: 0o700 })
    this.env = { ...process.env, BEAM_HOME: this.home, BEAM_CONFIG: join(this.home, 'test.yaml') }
    writeFileSync(this.env.BEAM_CONFIG, JSON.stringify({ backends: [{ name: 'anonet', enabled: true, config }] }))
  }

  spawn(...args) {
    const [program, ...words] = inside(this.host, process.execPath, '--no-warnings', this.beam, ...args)
    return spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: this.env, cwd: this.home })
  }

  /** Runs a command to its end. */
  async run(...args) {
    const child = this.spawn(...args)
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (data) => (stdout += data))
    child.stderr.on('data', (data) => (stderr += data))
    const code = await new Promise((resolve) => child.on('close', resolve))
    return { code, stdout, stderr }
  }

  /** The JSON that a command prints. */
  async json(...args) {
    const { code, stdout, stderr } = await this.run(...args, '--json')
    if (code !== 0) throw new Error(`beam ${args.join(' ').slice(0, 80)} on ${this.host}: ${stdout}${stderr}`)
    return JSON.parse(stdout)
  }

  /** Starts a command that stays; `until(event)` waits for a line of its output. */
  stay(...args) {
    const child = this.spawn(...args, '--json')
    const events = []
    let [rest, errors] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) events.push(JSON.parse(line))
    })
    child.stderr.on('data', (data) => (errors += data))
    const closed = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)))
    let ended = false
    const where = this.host
    void closed.then(() => (ended = true))
    return {
      child,
      events,
      closed,
      async until(name) {
        for (const deadline = Date.now() + STEP_MS; ; await sleep(20)) {
          const found = events.find(({ event }) => event === name)
          if (found !== undefined) return found
          if (ended || Date.now() > deadline)
            throw new Error(`beam ${args.join(' ')} on ${where}: no ${name}: ${JSON.stringify(events)} ${errors}`)
        }
      },
      async interrupt() {
        child.kill('SIGINT')
        const timer = setTimeout(() => child.kill('SIGKILL'), STEP_MS)
        const code = await closed
        clearTimeout(timer)
        return code
      },
    }
  }
}

/** Two users become friends as people do: one text there, one back. Their cable is `k`. */
export async function befriend(a, b, k) {
  const { text } = await a.json('anonet', 'invite', '--for', b.host, '--endpoint', `10.99.${k}.1`)
  const { answer } = await b.json('anonet', 'accept', text, '--as', a.host, '--endpoint', `10.99.${k}.2`)
  await a.json('anonet', 'accept', answer, '--as', b.host)
}

/** Waits until something is so; returns what it found. What fails meanwhile is not so yet: on a busy machine a command may come too early. */
export async function eventually(what, find, limitMs = STEP_MS) {
  let last
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await sleep(100)) {
    try {
      last = await find()
      if (last) return last
    } catch (error) {
      last = error
    }
  }
  throw new Error(`it did not come to be: ${what}`, { cause: last })
}
