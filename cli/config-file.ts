import { realpath } from 'node:fs/promises'
import { ConfigError } from '../core/errors.ts'

/**
 * The configuration file that counts for this command, under the one path by which all commands know it; undefined when there is none.
 * It is read here because the search refuses files of other users, which whoever is told the path cannot know any more.
 * @throws InvalidConfigError
 */
export async function callersConfig(named?: string): Promise<string | undefined> {
  const { locateConfig, readSource } = await import('../config/load-config.ts')
  const options = named === undefined ? {} : { file: named }
  const located = await locateConfig(options)
  if (located === undefined) return undefined
  await readSource(located.file, options)
  return realpath(located.file)
}

/**
 * The same, where a file is needed.
 * @throws ConfigError when there is none
 */
export async function requiredConfig(named?: string): Promise<string> {
  const file = await callersConfig(named)
  if (file !== undefined) return file
  throw new ConfigError('There is no beam.config.yaml here or in a folder above.', {
    hint: 'To make one: beam config init. To publish a port without one: beam 3000',
  })
}
