import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import plugin from '../src/index.ts'

interface Manifest {
  readonly beam: { readonly plugin: string; readonly apiVersion: number; readonly backend: string }
}

describe('the plugin', () => {
  it('is what its manifest says', () => {
    const { beam } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest
    assert.equal(plugin.name, beam.backend)
    assert.equal(plugin.apiVersion, beam.apiVersion)
    assert.equal(new URL(`../../${beam.plugin}`, import.meta.url).href, new URL('../src/index.js', import.meta.url).href)
  })

  it('describes its configuration', () => {
    assert.equal(plugin.configSchema['type'], 'object')
    assert.equal(plugin.configSchema['additionalProperties'], false)
  })
})
