import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { unwatchFile, watchFile } from 'node:fs'

/** How often the file is looked at: soon enough for somebody who saves it and looks, and a second's work costs microseconds. */
const LOOK_EVERY_MS = 500

/**
 * Tells when the content of a file changed. By looking at it, since editors replace files in ways that notifications miss, and shared
 * folders have none. While the file is away nothing is told.
 * @returns what ends it
 */
export function watchContent(file: string, known: string, onChange: () => void): () => void {
  let last = known
  let looking = Promise.resolve()
  const look = async (): Promise<void> => {
    const now = await fingerprint(file)
    if (now === undefined || now === last) return
    last = now
    onChange()
  }
  const listener = (): void => {
    looking = looking.then(look)
  }
  watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, listener)
  // It may have changed since its content was read.
  listener()
  return () => unwatchFile(file, listener)
}

/** What a file's content comes down to; undefined when it cannot be read. */
export async function fingerprint(file: string): Promise<string | undefined> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
  } catch {
    return undefined
  }
}
