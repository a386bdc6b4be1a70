import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What one connection to the router says, and what the test does with it. */
export interface Conversation {
  readonly socket: Socket
  /** Lines that came so far. */
  readonly lines: readonly string[]
}

/** Answers a line: a text is written with a line end; undefined says nothing. */
export type Script = (line: string, conversation: Conversation, router: ScriptedRouter) => string | undefined

/** The greeting of i2pd 2.45. */
export const HELLO_OK = 'HELLO REPLY RESULT=OK VERSION=3.1'

/** A SAM port that says what a test wants, for what real routers do seldom or never: garbage, silence, early and late answers. */
export class ScriptedRouter implements AsyncDisposable {
  readonly conversations: Conversation[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(script: Script) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const lines: string[] = []
      const conversation = { socket, lines }
      this.conversations.push(conversation)
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
      let text = ''
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          const line = text.slice(0, end)
          text = text.slice(end + 1)
          lines.push(line)
          const answer = script(line, conversation, this)
          if (answer !== undefined) socket.write(`${answer}\n`)
        }
      })
    })
  }

  static async start(script: Script): Promise<ScriptedRouter> {
    const router = new ScriptedRouter(script)
    await once(router.#server.listen(0, '127.0.0.1'), 'listening')
    return router
  }

  get at(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port }
  }

  /** Every line that began like this, from all connections. */
  heard(start: string): string[] {
    return this.conversations.flatMap(({ lines }) => lines.filter((line) => line.startsWith(start)))
  }

  /** Breaks all connections off, as a router that is killed. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Greets, and leaves the rest to the script. */
export const greeting =
  (script: Script): Script =>
  (line, conversation, router) =>
    line.startsWith('HELLO VERSION') ? HELLO_OK : script(line, conversation, router)
