import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What a peer answers to one line; undefined = nothing. */
export type Answers = (line: string, socket: Socket) => string | undefined

/** Answers of a daemon that has joined its network, as far as a client asks before it publishes. */
export const JOINED: Record<string, string> = {
  'PROTOCOLINFO 1': '250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n',
  AUTHENTICATE: '250 OK\r\n',
  'GETINFO net/listeners/socks': '250-net/listeners/socks="127.0.0.1:9"\r\n250 OK\r\n',
  'GETINFO process/pid': '250-process/pid=7\r\n250 OK\r\n',
  'GETINFO status/bootstrap-phase': '250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"\r\n250 OK\r\n',
  'GETINFO status/circuit-established': '250-status/circuit-established=1\r\n250 OK\r\n',
}

/** A fake: what listens on a control port and answers as it is told. Lines that are not named get `250 OK`. */
export class FakeControlPort implements AsyncDisposable {
  readonly lines: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async listen(answers: Answers = (line) => JOINED[line] ?? '250 OK\r\n'): Promise<FakeControlPort> {
    const server = createServer()
    const fake = new FakeControlPort(server)
    server.on('connection', (socket) => {
      fake.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => fake.#sockets.delete(socket))
      let rest = ''
      socket.setEncoding('latin1').on('data', (text: string) => {
        const lines = (rest + text).split('\r\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          fake.lines.push(line)
          const answer = answers(line, socket)
          if (answer !== undefined && socket.writable) socket.write(answer, 'latin1')
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return fake
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Says something to everybody who is connected. */
  say(text: string): void {
    for (const socket of this.#sockets) socket.write(text, 'latin1')
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }
}
