import { setImmediate as turn } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import type { StreamHandler, Visitor } from '../../backend.ts'
import { systemClock, type Clock } from '../../clock.ts'
import { silentLogger, type Logger } from '../../logger.ts'
import { join } from '../join.ts'
import { resetStream } from '../reset.ts'
import { firstBytes, type FirstBytes } from './first-bytes.ts'
import { Greeting, type GreetingMemory } from './greeting.ts'
import { JoinedStreams } from './joined-streams.ts'
import { encodeAnswer, type Preamble } from './preamble.ts'

/** What an acceptor is made of. */
export interface MultipathAcceptorSetup {
  /** Takes ordinary visitors' streams unchanged, and one stream for each multipath stream. */
  readonly handler: StreamHandler
  /** Whether paths are joined. Where they are not, visitors are told so, and streams that want a word first get it. Default: true. */
  readonly joins?: boolean
  readonly clock?: Clock
  readonly logger?: Logger
}

/**
 * The publisher's end of multipath streams: takes the streams of all networks of a tunnel, joins those that are paths of one multipath
 * stream, and passes ordinary visitors on, neither delayed nor changed, whichever side speaks first.
 */
export class MultipathAcceptor {
  readonly #handler: StreamHandler
  readonly #joins: boolean
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #joined: JoinedStreams
  readonly #memory: GreetingMemory = { bytes: 0 }

  constructor({ handler, joins = true, clock = systemClock, logger = silentLogger }: MultipathAcceptorSetup) {
    this.#handler = handler
    this.#joins = joins
    this.#clock = clock
    this.#logger = logger
    this.#joined = new JoinedStreams(clock)
  }

  /** Takes a visitor's stream on any network. It owns the stream from then on. */
  readonly handle: StreamHandler = (stream, visitor) => {
    stream.on('error', () => {})
    let greeting: Greeting | undefined
    let decided = false
    firstBytes(stream, this.#clock, (found) => {
      decided = true
      this.#onFirstBytes(stream, visitor, found, greeting)
    })
    // On links the visitor's first words come with the request: then the service is not dialled before it is known what for.
    void turn().then(() => {
      if (decided || stream.destroyed) return
      greeting = this.#greet(stream, visitor)
    })
  }

  /** Ends every multipath stream; harmless when repeated. */
  close(): void {
    this.#joined.close()
  }

  #greet(stream: Duplex, visitor: Visitor): Greeting {
    const greeting = new Greeting(stream, this.#memory)
    this.#handler(greeting.service, visitor)
    return greeting
  }

  #onFirstBytes(stream: Duplex, visitor: Visitor, found: FirstBytes, greeting: Greeting | undefined): void {
    switch (found.what) {
      case 'plain':
        // An end that was heard cannot be put back as bytes can; joining two streams passes it on.
        if (greeting === undefined && !stream.readableEnded) this.#handler(stream, visitor)
        else void join((greeting ?? this.#greet(stream, visitor)).release(), stream)
        return
      case 'gone':
        greeting?.release().destroy(new Error('the visitor left'))
        return
      case 'foreign':
        greeting?.dismiss()
        resetStream(stream, new Error('another version of multipath streams'))
        return
      case 'preamble':
        this.#onPreamble(stream, visitor, found.preamble, found.rest, greeting)
    }
  }

  #onPreamble(stream: Duplex, visitor: Visitor, preamble: Preamble, rest: Buffer, greeting: Greeting | undefined): void {
    const { kind, id } = preamble
    if (kind === 'single' && greeting?.over === true) {
      // It has heard all there was, and takes that for the answer.
      greeting.dismiss()
      stream.resume()
      return
    }
    if (greeting !== undefined && !greeting.repeatable) {
      // The visitor cannot find an answer behind so much: this path is no use to it.
      greeting.release().destroy(new Error('the visitor wants another kind of stream'))
      resetStream(stream, new Error('a multipath preamble behind a long greeting'))
      return
    }
    if (kind === 'single') {
      stream.write(encodeAnswer(id, 'yes'))
      if (rest.length > 0) stream.unshift(rest)
      if (greeting === undefined) this.#handler(stream, visitor)
      else void join(greeting.repeat(), stream)
      return
    }
    const question = { refused: this.#joins ? 'yes' : 'no', why: 'a question' } as const
    const admitted = kind === 'probe' || !this.#joins ? question : this.#joined.admit(preamble, visitor)
    if ('refused' in admitted) {
      greeting?.dismiss()
      this.#logger.debug('multipath path', { backend: visitor.backend, verdict: admitted.why })
      stream.end(encodeAnswer(id, admitted.refused))
      stream.resume()
      return
    }
    const { stream: joined, isNew } = admitted
    stream.write(encodeAnswer(id, 'yes'))
    joined.addPath(stream, visitor.backend, { received: rest })
    if (!isNew) greeting?.dismiss()
    else if (greeting === undefined) this.#handler(joined, visitor)
    else void join(greeting.repeat(), joined)
  }
}
