import { ConfigError } from '../../core/errors.ts'

/** `tor=3,mesh=1` as typed, split at the commas. @throws ConfigError (`BEAM_ERR_USAGE`) */
export function parseWeights(words: readonly string[] | undefined): Readonly<Record<string, number>> | undefined {
  if (words === undefined) return undefined
  return Object.fromEntries(
    words.map((word): [string, number] => {
      const [, name, number] = /^([a-z][a-z0-9-]*)=(\d{1,4})$/.exec(word.trim()) ?? []
      if (name === undefined || number === undefined) {
        throw new ConfigError(`${JSON.stringify(word)} is no weight.`, {
          code: 'BEAM_ERR_USAGE',
          hint: 'It looks like tor=3, from 1 to 1000.',
        })
      }
      return [name, Number(number)]
    }),
  )
}
