import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { Home, service } from './home.ts'

const names = (tunnels: readonly { readonly name?: string }[]): string[] => tunnels.map(({ name = '' }) => name).toSorted()

async function declare(home: Home, tunnels: readonly object[], file = 'beam.config.yaml'): Promise<void> {
  await writeFile(join(home.path, file), JSON.stringify({ tunnels }))
}

describe('beam up and beam down', { timeout: 60_000 }, () => {
  it('publish what the file declares, and end it, in the foreground', async () => {
    using web = await service()
    using other = await service()
    await using home = await Home.make()
    await declare(home, [
      { name: 'one', port: web.port },
      { name: 'two', port: other.port },
    ])
    await using up = home.start('up', '--json')
    await up.event('ready', 2)
    await vi.waitFor(async () => expect(names(await home.tunnels())).toEqual(['one', 'two']), 10_000)
    expect((await home.tunnels())[0]).toMatchObject({ kept: false, config: expect.stringMatching(/beam\.config\.yaml$/) as string })
    const { stopped } = await home.json<{ stopped: { name: string }[] }>('answers#/$defs/stopList', 'down')
    expect(names(stopped)).toEqual(['one', 'two'])
    expect((await up.ended).code).toBe(0)
  })

  it('leave it with the daemon, once, and end only what this file declares', async () => {
    using web = await service()
    using extra = await service()
    await using home = await Home.make()
    await declare(home, [{ name: 'one', port: web.port, access: { secret: 'open sesame' } }])
    await declare(home, [{ name: 'other', port: web.port }], 'other.yaml')
    expect((await home.run('up', '-d', '--quiet')).code).toBe(0)
    expect((await home.run('up', '-d', '--quiet', '--file', 'other.yaml')).code).toBe(0)
    // People are told what visitors have to type; a third declaration is published beside the other two.
    await declare(home, [
      { name: 'one', port: web.port, access: { secret: 'open sesame' } },
      { name: 'more', port: extra.port, access: { secret: 'x' } },
    ])
    const more = await home.run('up', '-d')
    expect(more.stdout).toMatch(/^npx beam connect beam:\/\/\w+ --secret -$/m)
    const again = await home.run('up', '-d')
    expect(again).toMatchObject({ code: 0, stdout: '' })
    expect(again.stderr).toContain('one runs already')
    expect(names(await home.tunnels())).toEqual(['more', 'one', 'other'])
    expect((await home.run('down')).stdout).toContain('one')
    expect(names(await home.tunnels())).toEqual(['other'])
    expect((await home.run('down')).stdout).toContain('Nothing of')
  })

  it('let the others go on when one fails, and say so by the exit code', async () => {
    using web = await service()
    using other = await service()
    await using home = await Home.make()
    await declare(home, [
      { name: 'one', port: web.port },
      { name: 'two', port: other.port },
    ])
    await using taken = home.start(String(web.port), '--name', 'two', '--json')
    await taken.event('ready')
    await using up = home.start('up', '--json')
    await up.event('ready')
    expect(await up.event('error')).toMatchObject({ code: 'BEAM_ERR_NAME_IN_USE' })
    expect((await up.stop()).code).toBe(1)
    await using none = home.start('up', '--file', 'none.yaml', '--json')
    expect((await none.ended).code).toBe(2)
  })

  it('fail when nothing could be published, or nothing is declared', async () => {
    using web = await service()
    using other = await service()
    await using home = await Home.make()
    await declare(home, [
      { name: 'one', port: web.port },
      { name: 'two', port: other.port },
    ])
    await using taken = home.start(String(web.port), String(web.port), '--name', 'one', '--name', 'two', '--json')
    await taken.event('ready', 2)
    const failed = await home.run('up')
    expect(failed.code).toBe(1)
    expect(failed.stderr.match(/BEAM_ERR_NAME_IN_USE/g)).toHaveLength(2)
    expect(failed.stderr).toContain('None of the tunnels could be published.')
    await declare(home, [])
    const empty = await home.run('up')
    expect(empty.code).toBe(2)
    expect(empty.stderr).toContain('declares no tunnels')
  })

  it('need a file', async () => {
    await using home = await Home.make()
    for (const command of ['up', 'down']) {
      const { code, stderr } = await home.run(command)
      expect(code).toBe(2)
      expect(stderr).toContain('beam config init')
    }
  })
})
