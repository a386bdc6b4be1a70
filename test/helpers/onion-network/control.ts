import { createHmac, randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

/** One line of a reply, with its data block (control-spec, section 2.3). */
interface ReplyLine {
  readonly code: string
  readonly text: string
  data?: string
}

/** Emits `event` with the text of each asynchronous event, and `closed`. */
interface ControlEvents {
  event: [text: string]
  closed: []
}

/** The key of the client's answer in SAFECOOKIE (control-spec, section 3.24). */
const CLIENT_KEY = 'Tor safe cookie authentication controller-to-server hash'

/**
 * A control connection of the tests' own, so that what the code under test says about the daemon is not checked by that code. The daemon is
 * one that the tests started: nothing is limited.
 */
export class Control extends EventEmitter<ControlEvents> {
  readonly #socket: Socket
  readonly #waiting: Array<{ resolve(lines: ReplyLine[]): void; reject(error: Error): void }> = []
  #rest = ''
  #lines: ReplyLine[] = []
  #data: string[] | undefined

  private constructor(socket: Socket) {
    super()
    this.setMaxListeners(0)
    this.#socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => this.#feed(text))
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the control connection was closed'))
      this.emit('closed')
    })
  }

  /** Connects to a daemon whose cookie file this user can read. */
  static async connect(port: number): Promise<Control> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const control = new Control(socket)
    const info = (await control.command('PROTOCOLINFO 1')).map(({ text }) => text).join('\n')
    const cookie = readFileSync(/COOKIEFILE="([^"]+)"/.exec(info)?.[1] ?? '')
    const nonce = randomBytes(32)
    const [challenge] = await control.command(`AUTHCHALLENGE SAFECOOKIE ${nonce.toString('hex')}`)
    const serverNonce = Buffer.from(/SERVERNONCE=(\S+)/.exec(challenge?.text ?? '')?.[1] ?? '', 'hex')
    const answer = createHmac('sha256', CLIENT_KEY).update(cookie).update(nonce).update(serverNonce).digest('hex')
    await control.command(`AUTHENTICATE ${answer}`)
    return control
  }

  /** Sends a command; an error unless the answer is a success. */
  command(line: string): Promise<ReplyLine[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject: (error) => reject(new Error(`${line.split(' ')[0]}: ${error.message}`)) })
      this.#socket.write(`${line}\r\n`)
    })
  }

  /** The value of one key of GETINFO. */
  async info(key: string): Promise<string> {
    const [line] = await this.command(`GETINFO ${key}`)
    return line?.data ?? line?.text.slice(key.length + 1) ?? ''
  }

  close(): void {
    this.#socket.destroy()
  }

  #feed(text: string): void {
    const lines = (this.#rest + text).split('\r\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  #line(line: string): void {
    const last = this.#lines.at(-1)
    if (this.#data !== undefined && last !== undefined) {
      if (line !== '.') this.#data.push(line.replace(/^\.\./, '.'))
      else {
        last.data = this.#data.join('\n')
        this.#data = undefined
      }
      return
    }
    this.#lines.push({ code: line.slice(0, 3), text: line.slice(4) })
    if (line[3] === '+') this.#data = []
    if (line[3] !== ' ') return
    const reply = this.#lines
    this.#lines = []
    if (line.startsWith('6')) this.emit('event', reply[0]?.text ?? '')
    else if (line.startsWith('2')) this.#waiting.shift()?.resolve(reply)
    else this.#waiting.shift()?.reject(new Error(line))
  }
}
