import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { silentLogger } from 'beam-tunnel/core'
import { testBackend } from 'beam-tunnel/testing'
import { TinCanBackend } from '../src/backend.ts'

const folder = mkdtempSync(join(tmpdir(), 'tin-can-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const create = (end: string) => (): TinCanBackend => new TinCanBackend({}, { logger: silentLogger, dataFolder: join(folder, end) })

testBackend({ describe, it }, { name: 'tin-can', create: create('publisher'), pair: create('visitor') })
