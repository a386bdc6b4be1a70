/**
 * Replies of BIRD's control socket, without I/O (reference: `nest/cli.c` of BIRD 2; forms as seen from 2.0.12): `NNNN-text` goes on,
 * ` text` goes on under the code before, `NNNN text` is the last line; 8xxx and 9xxx are errors.
 */
import { ProtocolError } from '../../../core/index.ts'

/** One line of a reply with its code. */
export interface BirdLine {
  readonly code: number
  readonly text: string
}

/** What BIRD answered to one command. */
export interface BirdReply {
  readonly lines: readonly BirdLine[]
}

/** Collects lines to replies. Knows nothing of sockets; whoever feeds it bounds what it is fed. */
export class BirdReplies {
  #lines: BirdLine[] = []
  #rest = ''

  /**
   * The replies that are complete with this text.
   * @throws ProtocolError when it is not how BIRD talks
   */
  push(text: string): BirdReply[] {
    const complete: BirdReply[] = []
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (this.#take(line)) {
        complete.push({ lines: this.#lines })
        this.#lines = []
      }
    }
    return complete
  }

  /** Whether the line was the last one of a reply. */
  #take(line: string): boolean {
    // Lines that begin with a plus are log messages, sent to who asked for them (`echo`).
    if (line.startsWith('+')) return false
    const parts = /^(\d{4})([ -])(.*)$/.exec(line)
    if (parts === null) {
      const before = this.#lines.at(-1)
      if (!line.startsWith(' ') && !line.startsWith('\t')) throw notBird(line)
      if (before === undefined) throw notBird(line)
      this.#lines.push({ code: before.code, text: line.slice(1) })
      return false
    }
    const [, code = '', mark, content = ''] = parts
    // The closing `0000 ` of a table says nothing.
    if (code !== '0000' || content !== '' || this.#lines.length === 0) this.#lines.push({ code: Number(code), text: content })
    return mark === ' '
  }
}

/** The error in a reply, as BIRD words it; undefined when there is none. */
export function birdError({ lines }: BirdReply): string | undefined {
  return lines.find(({ code }) => code >= 8000)?.text
}

function notBird(line: string): ProtocolError {
  return new ProtocolError(`What answers there is not BIRD: ${JSON.stringify(line.slice(0, 60))}.`, {
    code: 'BEAM_ERR_BACKEND_UNAVAILABLE',
  })
}
