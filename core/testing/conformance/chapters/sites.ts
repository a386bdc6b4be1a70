import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { NetworkBackend } from '../../../backend.ts'
import { isSitePublisher, type SitePublisher } from '../../../powers.ts'
import type { Case } from '../case.ts'
import { assertReason, newReason, outcome } from '../outcome.ts'
import type { Stage } from '../stage.ts'

/** Snapshots of sites: put and get. */
export const sites: readonly Case[] = [
  {
    id: 'site-published',
    limitMs: 30_000,
    async run(stage) {
      const publisher = await sitePublisher(stage)
      const { fixture } = stage
      if (fixture.fetchSite === undefined) return stage.skip('the fixture cannot fetch a published site')
      const files = new Map([
        ['index.html', Buffer.from('<!doctype html><title>conformance</title>')],
        ['images/dot.bin', randomBytes(100_000)],
        ['empty.txt', Buffer.alloc(0)],
      ])
      const { address } = await inFolder(files, (folder) => publisher.publishSite(folder, { signal: stage.signal }))
      for (const [path, content] of files) {
        assert.ok(content.equals(await fixture.fetchSite(address, path)), `${path} was changed`)
      }
      await assert.rejects(fixture.fetchSite(address, 'missing.html'), 'a file that was not published is found')
    },
  },
  {
    id: 'site-abort',
    async run(stage) {
      const publisher = await sitePublisher(stage)
      const reason = newReason()
      const files = new Map([['index.html', Buffer.from('never')]])
      assertReason(
        await inFolder(files, (folder) => outcome(() => publisher.publishSite(folder, { signal: AbortSignal.abort(reason) }))),
        reason,
      )
    },
  },
]

async function sitePublisher(stage: Stage): Promise<NetworkBackend & SitePublisher> {
  const publisher = await stage.publisher()
  return isSitePublisher(publisher) ? publisher : stage.skip('the backend publishes no sites')
}

async function inFolder<T>(files: ReadonlyMap<string, Uint8Array>, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'beam-site-'))
  try {
    for (const [path, content] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), content)
    }
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
