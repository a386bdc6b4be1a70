/** How well something works: it does, it does with a limit, it does not, it is switched off, or it is not installed. */
export type FindingState = 'ok' | 'limited' | 'broken' | 'off' | 'absent'

/** What `beam doctor` found out about one thing. */
export interface Finding {
  readonly group: 'machine' | 'network' | 'daemons'
  /** Short and constant, for scripts. */
  readonly id: string
  /** For people. */
  readonly title: string
  readonly state: FindingState
  /** What was seen. */
  readonly detail: string
  /** What to do about it, when something can be done. */
  readonly advice?: string
  /** Beam cannot work without it: exit code 1 when it is broken. */
  readonly essential?: boolean
}

/** One thing that is looked at. Must not reject for what it is meant to find out. */
export interface Check {
  readonly group: Finding['group']
  readonly id: string
  readonly title: string
  readonly essential?: boolean
  /** Longest it may take, in milliseconds. */
  readonly deadlineMs: number
  readonly run: (signal: AbortSignal) => Promise<Pick<Finding, 'state' | 'detail' | 'advice'>>
}

/** Runs a check within its deadline; one that throws or takes too long is broken, with the reason. */
export async function examine({ run, deadlineMs, ...about }: Check): Promise<Finding> {
  const signal = AbortSignal.timeout(deadlineMs)
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${deadlineMs / 1_000} s`)), { once: true }),
  )
  // AbortSignal.timeout does not keep the process alive, but what is waited for here must end.
  const alive = setTimeout(() => {}, deadlineMs + 100)
  try {
    return { ...about, ...(await Promise.race([run(signal), late])) }
  } catch (error) {
    return { ...about, state: 'broken', detail: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(alive)
  }
}
