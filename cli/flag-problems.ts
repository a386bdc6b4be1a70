import { InvalidConfigError } from '../config/problem.ts'

/** Variables whose flag has another name. */
const OTHERS: Readonly<Record<string, string>> = {
  BEAM_P2P_MDNS: '--p2p-discovery',
  BEAM_P2P_PARTICIPATION: '--p2p-mode',
  BEAM_P2P_RENDEZVOUS: '--rendezvous',
}

/** An error that names the flags that were typed, where it named the variables of settings that they stand for. */
export function inFlags(error: unknown, given: Readonly<Record<string, string | undefined>>): unknown {
  if (!(error instanceof InvalidConfigError)) return error
  const problems = error.problems.map((problem) => {
    const { variable } = problem
    return variable === undefined || given[variable] === undefined ? problem : { ...problem, variable: flagOf(variable) }
  })
  return new InvalidConfigError(problems, { cause: error.cause, ...(error.hint === undefined ? {} : { hint: error.hint }) })
}

/** `BEAM_I2P_SAM_PORT` is `--i2p-sam-port`. */
function flagOf(variable: string): string {
  return (
    OTHERS[variable] ??
    `--${variable
      .replace(/^BEAM_/, '')
      .toLowerCase()
      .replaceAll('_', '-')}`
  )
}
