import type multicastDns from 'multicast-dns'
import { systemClock, type Clock } from '../../../core/index.ts'
import type { MdnsSocket } from './mdns-socket.ts'

/** The records that are answered under one name. */
export interface OwnRecords {
  /** In lower case. */
  readonly name: string
  /** Record types that a question may ask for; `ANY` is always answered. */
  readonly types: readonly string[]
  readonly answers: () => readonly multicastDns.Answer[]
  readonly additionals?: () => readonly multicastDns.Answer[]
}

/** RFC 6762 section 6: a record is multicast at most once a second; who asks in between hears the next one. It also bounds floods. */
const QUIET_MS = 1_000
/** Class IN as the library reads it from a question that would like a unicast answer. */
const CLASSES: ReadonlySet<string | undefined> = new Set(['IN', 'ANY', 'UNKNOWN_32769', undefined])

/** A running responder. */
export interface Responder {
  /** Whether anybody has been given the answer: if not, nobody has to be told that it is void. */
  readonly answered: boolean
  end(): void
}

/** Answers questions for one name, and for nothing else: nobody can list what is published here. */
export function answerQuestions(socket: MdnsSocket, records: OwnRecords, clock: Clock = systemClock): Responder {
  let answered = false
  let quietUntil = 0
  let cancel: (() => void) | undefined
  const answer = (): void => {
    cancel = undefined
    answered = true
    quietUntil = clock.monotonic() + QUIET_MS
    void socket.send({ type: 'response', answers: records.answers(), ...(records.additionals && { additionals: records.additionals() }) })
  }
  const unuse = socket.use(({ type, questions = [] }) => {
    if (type !== 'query' || cancel !== undefined || !questions.some((question) => isFor(records, question))) return
    const waitMs = quietUntil - clock.monotonic()
    if (waitMs <= 0) answer()
    else cancel = clock.after(waitMs, answer, { unref: true })
  })
  return {
    get answered() {
      return answered
    },
    end: () => {
      cancel?.()
      unuse()
    },
  }
}

function isFor({ name, types }: OwnRecords, question: multicastDns.Question): boolean {
  return question.name.toLowerCase() === name && (question.type === 'ANY' || types.includes(question.type)) && CLASSES.has(question.class)
}
