/**
 * Replies and events of the control protocol (control-spec section 2.3), without I/O: bytes go in, whole messages come out. What the peer
 * sends is bounded, whatever it is.
 */
import { ProtocolError } from '../../../../core/index.ts'

/** Longest line: the longest that a daemon sends (a circuit with its flags) has about a kilobyte. */
export const MAX_LINE_BYTES = 64 * 1024
/** Largest reply or event with all its lines: descriptors and lists of circuits have some ten kilobytes. */
export const MAX_MESSAGE_BYTES = 1024 * 1024

/** One line of a message: its text after code and separator, and the data block that belonged to it. */
export interface MessageLine {
  readonly text: string
  /** The lines of the block joined by `\n`, without the final dot. */
  readonly data?: string
}

/** A reply to a command, or an event (code 6xx). Bytes above 127 are kept as Latin-1 characters. */
export interface Message {
  readonly code: number
  /** At least one. */
  readonly lines: readonly [MessageLine, ...MessageLine[]]
}

/** Whether it is an event, which answers no command. */
export function isEvent({ code }: Message): boolean {
  return code >= 600 && code < 700
}

const LF = 0x0a
const CR = 0x0d

/** Cuts a stream of bytes into messages. */
export class MessageParser {
  /** The beginning of a line whose end has not come yet. */
  #rest: Buffer[] = []
  #restBytes = 0
  #code = 0
  #lines: Array<{ text: string; data?: string }> = []
  #block: string[] | undefined
  #messageBytes = 0

  /**
   * The messages that end in this chunk.
   * @throws ProtocolError when the bytes are no control protocol, or more than its limits allow. The parser is of no use afterwards.
   */
  push(chunk: Uint8Array): Message[] {
    const messages: Message[] = []
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF)) {
      const message = this.#line(this.#wholeLine(bytes.subarray(0, end)))
      if (message !== undefined) messages.push(message)
      bytes = bytes.subarray(end + 1)
    }
    if (bytes.length > 0) {
      this.#count(bytes.length)
      // A copy: what was given may be used again for the next chunk.
      this.#rest.push(Buffer.from(bytes))
    }
    return messages
  }

  #count(bytes: number): void {
    this.#restBytes += bytes
    if (this.#restBytes > MAX_LINE_BYTES) throw broken(`a line has more than ${MAX_LINE_BYTES} bytes`)
    if (this.#messageBytes + this.#restBytes > MAX_MESSAGE_BYTES) throw broken(`a reply has more than ${MAX_MESSAGE_BYTES} bytes`)
  }

  #wholeLine(last: Buffer): string {
    this.#count(last.length)
    const line = this.#rest.length === 0 ? last : Buffer.concat([...this.#rest, last])
    // The line's own end counts too, so that many empty lines are bounded as well.
    this.#messageBytes += line.length + 1
    this.#rest = []
    this.#restBytes = 0
    return line.toString('latin1', 0, line.at(-1) === CR ? line.length - 1 : line.length)
  }

  #line(line: string): Message | undefined {
    if (this.#block !== undefined) {
      this.#blockLine(line, this.#block)
      return undefined
    }
    const [, code, separator, text] = /^(\d{3})([ +-])([^]*)$/.exec(line) ?? []
    if (code === undefined || text === undefined) throw broken('a line does not begin with a code')
    if (this.#lines.length > 0 && Number(code) !== this.#code) throw broken('the lines of one reply have different codes')
    this.#code = Number(code)
    this.#lines.push({ text })
    if (separator === '+') this.#block = []
    if (separator !== ' ') return undefined
    const message = { code: this.#code, lines: this.#lines as unknown as Message['lines'] }
    this.#lines = []
    this.#messageBytes = 0
    return message
  }

  /** A block ends with a lone dot; other lines that begin with one have it doubled. */
  #blockLine(line: string, block: string[]): void {
    if (line !== '.') {
      block.push(line.startsWith('.') ? line.slice(1) : line)
      return
    }
    const owner = this.#lines.at(-1)
    if (owner !== undefined) owner.data = block.join('\n')
    this.#block = undefined
  }
}

function broken(why: string): ProtocolError {
  return new ProtocolError(`What answers on the control port does not speak the control protocol: ${why}.`, {
    code: 'BEAM_ERR_CONTROL_PORT',
    hint: 'Check that control_port or control_socket names the control port of the daemon, and not its SOCKS port or another program.',
  })
}
