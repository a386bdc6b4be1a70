import { spawnSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeptTunnels, type KeptTunnel } from '../../../cli/daemon/kept-tunnels.ts'
import { openLog } from '../../../cli/daemon/log-file.ts'
import { logPath } from '../../../cli/daemon/log-path.ts'
import { readLog } from '../../../cli/daemon/read-log.ts'
import { serviceUnit, writeServiceUnit } from '../../../cli/daemon/service-unit.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-daemon-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const kept = (id: string): KeptTunnel => ({
  id,
  since: '2026-01-01T00:00:00.000Z',
  named: true,
  request: { target: { port: 3000 }, options: { name: 'web', access: { secret: 'sesame' } }, source: { environment: {} }, detach: true },
})

describe('the file of kept tunnels', () => {
  it('holds what was added, for its owner only, and gives it back', async () => {
    const tunnels = new KeptTunnels({ data: folder })
    expect(await tunnels.load()).toEqual([])
    await Promise.all([tunnels.add(kept('a')), tunnels.add(kept('b')), tunnels.remove('a'), tunnels.add(kept('c'))])
    await tunnels.remove('a')
    const again = new KeptTunnels({ data: folder })
    expect((await again.load()).map(({ id }) => id)).toEqual(['b', 'c'])
    expect((await stat(join(folder, 'daemon', 'tunnels.json'))).mode & 0o777).toBe(0o600)
    expect(await readdir(join(folder, 'daemon'))).toEqual(['tunnels.json'])
  })

  it.each(['', '{', 'null', '{"version":2,"tunnels":[]}', '{"version":1,"tunnels":[{"id":"sesame"}]}'])(
    'is refused when it is damaged, without quoting it, and left alone: %j',
    async (content) => {
      await new KeptTunnels({ data: folder }).add(kept('a'))
      const file = join(folder, 'daemon', 'tunnels.json')
      await writeFile(file, content)
      const error = await new KeptTunnels({ data: folder }).load().catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'BEAM_ERR_DAEMON', message: expect.stringContaining(file) as string })
      expect(String(error)).not.toContain('sesame')
      expect(await readFile(file, 'utf8')).toBe(content)
    },
  )
})

describe('the log file', () => {
  it('is rotated by size, and only so many old files are kept, all for the owner only', async () => {
    const log = openLog({ state: folder }, { maxBytes: 2_000, oldFiles: 2 })
    for (let line = 0; line < 300; line++) {
      log.logger.info('a line', { line })
      if (line % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await log[Symbol.asyncDispose]()
    expect((await readdir(folder)).toSorted()).toEqual(['daemon.log', 'daemon.log.1', 'daemon.log.2'])
    for (const name of await readdir(folder)) {
      const { size, mode } = await stat(join(folder, name))
      // A file is put aside after the write that fills it.
      expect(size).toBeLessThan(6_000)
      expect(mode & 0o777).toBe(0o600)
    }
    const names = ['daemon.log.2', 'daemon.log.1', 'daemon.log']
    const text = (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('')
    const lines = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { line: number }).line)
    // Nothing is lost in between, and the newest is there.
    expect(lines).toEqual(Array.from({ length: lines.length }, (_, index) => 300 - lines.length + index))
  })

  it('is read from its end, also without a file, and followed over a rotation', async () => {
    const path = logPath({ state: folder })
    const all = async (lines: number): Promise<string[]> => {
      const found: string[] = []
      for await (const line of readLog(path, { lines })) found.push(line)
      return found
    }
    expect(await all(5)).toEqual([])
    await writeFile(path, 'one\ntwo\nthr')
    expect(await all(1)).toEqual(['two'])
    expect(await all(0)).toEqual([])
    const end = new AbortController()
    const followed = readLog(path, { lines: 1, follow: end.signal })
    const next = async (): Promise<unknown> => (await followed.next()).value
    expect(await next()).toBe('two')
    await appendFile(path, 'ee\nfour\n')
    expect([await next(), await next()]).toEqual(['three', 'four'])
    await rename(path, `${path}.1`)
    await writeFile(path, 'five\n')
    expect(await next()).toBe('five')
    end.abort()
    expect(await next()).toBeUndefined()
  })
})

describe('the unit of the daemon', () => {
  const odd = {
    node: '/opt/my node/bin/node',
    script: '/home/x/50% "b" $HOME/run.js',
    env: { BEAM_HOME: '/srv/b&m <1>', XDG_CONFIG_HOME: '/c' },
  }

  it('is what systemd accepts, also with odd paths', async () => {
    const unit = serviceUnit({ ...odd, platform: 'linux' })
    expect(unit.file).toBe('/c/systemd/user/beam.service')
    expect(unit.content).toContain('ExecStart="/opt/my node/bin/node" "/home/x/50%% \\"b\\" $$HOME/run.js" daemon run\n')
    expect(unit.content).toContain('Environment="BEAM_HOME=/srv/b&m <1>"\n')
    const bin = join(folder, 'my 50% "node"')
    await mkdir(bin)
    await symlink(process.execPath, join(bin, 'node'))
    const real = serviceUnit({ ...odd, platform: 'linux', node: join(bin, 'node'), env: { ...odd.env, XDG_CONFIG_HOME: folder } })
    await writeServiceUnit(real)
    if (spawnSync('systemd-analyze', ['--version']).status === 0) {
      const env = { ...process.env, XDG_RUNTIME_DIR: folder }
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--user', real.file], { encoding: 'utf8', env })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    }
    expect(await readFile(real.file, 'utf8')).toBe(real.content)
  })

  it('is a property list on macOS', () => {
    const { content, file } = serviceUnit({ ...odd, platform: 'darwin' })
    expect(file).toMatch(/Library\/LaunchAgents\/beam-tunnel\.daemon\.plist$/)
    expect(content).toContain(
      '<string>/opt/my node/bin/node</string>\n    <string>/home/x/50% "b" $HOME/run.js</string>\n    <string>daemon</string>',
    )
    expect(content).toContain('<string>/srv/b&amp;m &lt;1&gt;</string>')
    const tags = [...content.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)]
    expect(tags.filter(([, closing, , empty]) => closing === '' && empty === '')).toHaveLength(
      tags.filter(([, closing]) => closing === '/').length,
    )
  })

  it('does not exist on Windows, and says what to do', () => {
    expect(() => serviceUnit({ ...odd, platform: 'win32' })).toThrow(expect.objectContaining({ code: 'BEAM_ERR_UNSUPPORTED' }))
  })
})
