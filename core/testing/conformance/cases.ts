import type { Case } from './case.ts'
import { access } from './chapters/access.ts'
import { anonymity } from './chapters/anonymity.ts'
import { compatibility } from './chapters/compatibility.ts'
import { contract } from './chapters/contract.ts'
import { domains } from './chapters/domains.ts'
import { lifecycle } from './chapters/lifecycle.ts'
import { load } from './chapters/load.ts'
import { messages } from './chapters/messages.ts'
import { reliability } from './chapters/reliability.ts'
import { sites } from './chapters/sites.ts'
import { streams } from './chapters/streams.ts'
import { CHAPTERS, type Chapter } from './promises.ts'

const BY_CHAPTER: Readonly<Record<Chapter, readonly Case[]>> = {
  lifecycle,
  contract,
  streams,
  load,
  compatibility,
  reliability,
  access,
  domains,
  anonymity,
  messages,
  sites,
}

/** Every case, chapter by chapter. */
export const CASES_BY_CHAPTER: ReadonlyArray<readonly [Chapter, readonly Case[]]> = CHAPTERS.map((chapter) => [
  chapter,
  BY_CHAPTER[chapter],
])
