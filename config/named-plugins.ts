import { pluginsOf } from './catalogue.ts'
import { locateConfig, readSource, type LoadOptions } from './load-config.ts'

/** The plugins that the file names, without loading any. `file` is absent when there is none. */
export async function namedPlugins(options: LoadOptions = {}): Promise<{ readonly file?: string; readonly plugins: readonly string[] }> {
  const located = await locateConfig(options)
  if (located === undefined) return { plugins: [] }
  const { value } = await readSource(located.file, options)
  return { file: located.file, plugins: pluginsOf(value) }
}
