import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { SitePublisher } from '../powers.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import { ConfigError } from '../errors.ts'
import { MemoryBackend } from './memory-backend.ts'

/** A snapshot is held in memory: enough for a site of text and pictures, too little to hurt. */
const MAX_SITE_BYTES = 64 * 1024 * 1024

/** A {@link MemoryBackend} that also publishes snapshots of sites. */
export class MemorySiteBackend extends MemoryBackend implements SitePublisher {
  override getCapabilities(): BackendCapabilities {
    return { ...super.getCapabilities(), delivery: 'site' }
  }

  async publishSite(
    folder: string,
    options: { readonly name?: string; readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly address: string }> {
    options.signal?.throwIfAborted()
    const files = new Map<string, Uint8Array>()
    let total = 0
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      options.signal?.throwIfAborted()
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      const content = await readFile(path)
      total += content.length
      if (total > MAX_SITE_BYTES) throw new ConfigError(`The site is larger than ${MAX_SITE_BYTES} bytes.`)
      files.set(relative(folder, path).replaceAll(sep, '/'), content)
    }
    const address = `memory-site://${options.name ?? randomBytes(16).toString('hex')}`
    this.network.putSite(address, files)
    return { address }
  }

  /** One file of a published site, by its path with slashes. */
  async fetchSite(address: string, path: string): Promise<Uint8Array> {
    return this.network.getSite(address, path)
  }
}
