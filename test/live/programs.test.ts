import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort, Scene } from '../e2e/scene.ts'
import { assertBuilt, BEAM } from './built.ts'
import { runClient, startDaemon } from './daemon.ts'
import { requireProgram } from './requirements.ts'

const sshd = requireProgram('sshd', { apt: 'openssh-server' })
const ssh = requireProgram('ssh', { apt: 'openssh-client' })
const scp = requireProgram('scp', { apt: 'openssh-client' })
const keygen = requireProgram('ssh-keygen', { apt: 'openssh-client' })
const rsync = requireProgram('rsync', { apt: 'rsync' })
const redisServer = requireProgram('redis-server', { apt: 'redis-server', brew: 'redis' })
const redisCli = requireProgram('redis-cli', { apt: 'redis-tools', brew: 'redis' })
const nginx = requireProgram('nginx', { apt: 'nginx-light', brew: 'nginx' })
const curl = requireProgram('curl', { apt: 'curl' })

const MIB = 1024 * 1024
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

let scene: Scene
beforeEach(async () => {
  assertBuilt()
  scene = await Scene.open(BEAM)
})
afterEach(() => scene[Symbol.asyncDispose]())

describe.runIf(sshd && ssh && scp && keygen && rsync)('ssh through beam connect --stdio', () => {
  /** A daemon with keys and a configuration of its own, published; returns the client's options. */
  async function sshOptions(): Promise<string[]> {
    const folder = join(scene.folder, 'ssh')
    await mkdir(folder, { mode: 0o700 })
    const [host, user] = [join(folder, 'host'), join(folder, 'user')]
    for (const key of [host, user]) await runClient(keygen as string, ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    const port = await freePort()
    await writeFile(
      join(folder, 'sshd.conf'),
      [
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${host}`,
        `AuthorizedKeysFile ${user}.pub`,
        'PidFile none',
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'PermitRootLogin prohibit-password',
        'Subsystem sftp internal-sftp',
      ].join('\n'),
    )
    // sshd as root needs this folder, which the distribution makes when it starts the service.
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    await startDaemon(scene, port, sshd as string, ['-D', '-e', '-f', join(folder, 'sshd.conf')])
    const { address } = await scene.publish(port, ['--name', 'ssh'])
    await writeFile(join(folder, 'known_hosts'), `home ${(await readFile(`${host}.pub`, 'utf8')).trim()}\n`)
    const environment = `BEAM_HOME=${join(scene.folder, 'home')} BEAM_P2P_BOOTSTRAP=none BEAM_P2P_MDNS=off`
    const options = {
      ProxyCommand: `env ${environment} ${process.execPath} ${BEAM} connect --stdio ${address}`,
      UserKnownHostsFile: join(folder, 'known_hosts'),
      StrictHostKeyChecking: 'yes',
      IdentityFile: user,
      IdentitiesOnly: 'yes',
      BatchMode: 'yes',
      User: userInfo().username,
      LogLevel: 'ERROR',
    }
    await writeFile(
      join(folder, 'config'),
      `Host home\n${Object.entries(options)
        .map(([name, value]) => `  ${name} ${value}\n`)
        .join('')}`,
    )
    await chmod(join(folder, 'config'), 0o600)
    return ['-F', join(folder, 'config')]
  }

  it('runs commands, with their exit codes, and copies 100 MiB with scp and rsync', async () => {
    const options = await sshOptions()
    expect(await runClient(ssh as string, [...options, 'home', 'cat; exit 7'], 'through the tunnel')).toMatchObject({
      code: 7,
      stdout: Buffer.from('through the tunnel'),
      stderr: '',
    })
    const [original, there, back] = ['original', 'there', 'back'].map((name) => join(scene.folder, name)) as [string, string, string]
    const data = randomBytes(100 * MIB)
    await writeFile(original, data)
    expect(await runClient(scp as string, ['-q', ...options, original, `home:${there}`])).toMatchObject({ code: 0, stderr: '' })
    expect(sha256(await readFile(there))).toBe(sha256(data))
    const shell = `${ssh} ${options.join(' ')}`
    expect(await runClient(rsync as string, ['--whole-file', '-e', shell, `home:${there}`, back])).toMatchObject({ code: 0, stderr: '' })
    expect(sha256(await readFile(back))).toBe(sha256(data))
  })
})

describe.runIf(redisServer && redisCli)('a database', () => {
  it('serves its own client through the tunnel: commands, a large value, 20,000 pipelined ones', async () => {
    const port = await freePort()
    await startDaemon(scene, port, redisServer as string, ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', scene.folder])
    const { address } = await scene.publish(port)
    const visit = await scene.visit(address)
    const redis = async (args: readonly string[], input?: string): Promise<string> => {
      const { code, stdout, stderr } = await runClient(redisCli as string, ['-p', `${visit.port}`, ...args], input)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return stdout.toString().trim()
    }
    expect(await redis(['ping'])).toBe('PONG')
    const value = 'v'.repeat(5 * MIB)
    await redis(['-x', 'set', 'large'], value)
    expect(await redis(['strlen', 'large'])).toBe(String(value.length))
    expect(await redis(['get', 'large'])).toBe(value)
    const commands = Array.from({ length: 20_000 }, (_, index) => `*2\r\n$4\r\nINCR\r\n$1\r\n${index % 10}\r\n`).join('')
    expect(await redis(['--pipe'], commands)).toContain('errors: 0, replies: 20000')
    expect(await redis(['get', '3'])).toBe('2000')
  })
})

describe.runIf(nginx && curl)('a web server', () => {
  it('serves curl through the tunnel: a large file, a range of it, several on one connection', async () => {
    const port = await freePort()
    const data = randomBytes(20 * MIB)
    await mkdir(join(scene.folder, 'www'), { mode: 0o755 })
    // nginx started by root reads as another user.
    await chmod(scene.folder, 0o755)
    await writeFile(join(scene.folder, 'www', 'file'), data)
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${scene.folder}/${name};`)
    await writeFile(
      join(scene.folder, 'nginx.conf'),
      `daemon off; pid ${scene.folder}/nginx.pid; error_log stderr; events {}
       http { access_log off; ${paths.join(' ')} server { listen 127.0.0.1:${port}; root ${scene.folder}/www; } }`,
    )
    await startDaemon(scene, port, nginx as string, ['-c', join(scene.folder, 'nginx.conf'), '-e', 'stderr'])
    const { address } = await scene.publish(port)
    const visit = await scene.visit(address)
    const url = `http://127.0.0.1:${visit.port}/file`
    const get = async (...args: string[]): Promise<Buffer> => {
      const { code, stdout } = await runClient(curl as string, ['--silent', '--fail', '--noproxy', '*', ...args])
      expect(code).toBe(0)
      return stdout
    }
    expect(sha256(await get(url))).toBe(sha256(data))
    expect((await get('--range', '1000-1999', url)).equals(data.subarray(1000, 2000))).toBe(true)
    const report = await get('--write-out', '%{num_connects} ', '--output', '/dev/null', url, '--output', '/dev/null', url)
    expect(report.toString()).toBe('1 0 ')
  })
})
