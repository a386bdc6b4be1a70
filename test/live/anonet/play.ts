import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transpiled } from '../../cli/transpiled.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'

/** What a mesh of friends is made of. */
export function requireMesh(): readonly [string, ...string[]] | undefined {
  const programs = [
    requireProgram('wireguard-go', { apt: 'wireguard-go' }),
    requireProgram('wg', { apt: 'wireguard-tools' }),
    requireProgram('bird', { apt: 'bird2' }),
    requireProgram('curl', { apt: 'curl' }),
  ]
  const namespaces = requireNamespaces()
  return programs.every((program) => program !== undefined) ? namespaces : undefined
}

/**
 * Runs a scenario in namespaces of its own (network, processes, mounts), where nothing can leave and everything ends with it. It is given the
 * folder with Beam as JavaScript, and prints one JSON document.
 */
export async function play<T>(
  namespace: readonly [string, ...string[]],
  scenario: string,
  limitMs: number,
  ...args: readonly string[]
): Promise<T> {
  const [program, ...flags] = namespace
  const home = await mkdtemp(join(tmpdir(), 'beam-f-'))
  const script = fileURLToPath(new URL(scenario, import.meta.url))
  const closed = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const child = spawn(program, [...flags, ...closed, process.execPath, '--no-warnings', script, dirname(transpiled()), ...args], {
    // No loopback guard: the namespace is what nothing can leave.
    env: {
      PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      HOME: home,
      TMPDIR: home,
      BEAM_P2P_BOOTSTRAP: 'none',
      BEAM_P2P_MDNS: 'off',
      BEAM_P2P_PORTMAP: 'off',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  await once(child, 'close')
  clearTimeout(timer)
  await rm(home, { recursive: true, force: true })
  if (child.exitCode !== 0) throw new Error(`the scenario ended with ${child.exitCode ?? child.signalCode}\n${output}${errors}`)
  return JSON.parse(output) as T
}
