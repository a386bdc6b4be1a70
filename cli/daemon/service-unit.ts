import { mkdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { UnsupportedError } from '../../core/errors.ts'

/** A file that tells the system to start the daemon, and the command that makes it do so now. */
export interface ServiceUnit {
  readonly file: string
  readonly content: string
  readonly next: string
}

/** What the unit is made of. */
export interface UnitSetup {
  readonly platform: NodeJS.Platform
  /** The node executable. */
  readonly node: string
  /** The `beam` script. */
  readonly script: string
  readonly env: Readonly<Record<string, string | undefined>>
}

const LABEL = 'beam-tunnel.daemon'

/**
 * The unit for this system: systemd's of the user, or launchd's.
 * @throws UnsupportedError on other systems
 */
export function serviceUnit({ platform, node, script, env }: UnitSetup): ServiceUnit {
  const command = [node, resolve(script), 'daemon', 'run']
  const home = env['BEAM_HOME'] ?? ''
  const variables = home === '' ? [] : [['BEAM_HOME', resolve(home)] as const]
  if (platform === 'linux') {
    const config = (env['XDG_CONFIG_HOME'] ?? '') === '' ? join(homedir(), '.config') : (env['XDG_CONFIG_HOME'] ?? '')
    return {
      file: join(config, 'systemd', 'user', 'beam.service'),
      content: systemdUnit(command, variables),
      next: 'systemctl --user daemon-reload && systemctl --user enable --now beam',
    }
  }
  if (platform === 'darwin') {
    const file = join(homedir(), 'Library', 'LaunchAgents', `${LABEL}.plist`)
    return { file, content: launchdPlist(command, variables), next: `launchctl bootstrap gui/$(id -u) "${file}"` }
  }
  throw new UnsupportedError(`There is no unit for ${platform}.`, {
    hint: 'Let the system start “beam daemon run” at login: on Windows with the Task Scheduler.',
  })
}

/** Writes the unit's file, with the folders that are missing. */
export async function writeServiceUnit({ file, content }: ServiceUnit): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

type Variables = ReadonlyArray<readonly [string, string]>

/** systemd.service(5). Not before the network, because that is a matter of the system's units; Beam waits for it by itself. */
function systemdUnit(command: readonly string[], variables: Variables): string {
  return `[Unit]
Description=Beam daemon: publishes local services
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
ExecStart=${startable(command).map(systemdWord).join(' ')}
${variables.map(([name, value]) => `Environment=${systemdQuoted(`${name}=${value}`)}\n`).join('')}Restart=on-failure
RestartSec=2
TimeoutStopSec=10
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`
}

/** systemd refuses quotes and wildcards in the name of what it starts, but not in arguments. */
function startable(command: readonly string[]): readonly string[] {
  return /^[\w/ .:@+,=~%-]+$/.test(command[0] ?? '') ? command : ['/usr/bin/env', ...command]
}

/** A word of a command line: `$` stands for variables there, besides what {@link systemdQuoted} takes care of. */
function systemdWord(word: string): string {
  const quoted = systemdQuoted(word.replaceAll('$', '$$$$'))
  return /^"[\w/.:@+-]+"$/.test(quoted) ? quoted.slice(1, -1) : quoted
}

/** systemd.syntax(7): C-style escapes in quotes; `%` begins a specifier. */
function systemdQuoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('%', '%%')
  return `"${escaped}"`
}

/** launchd.plist(5). */
function launchdPlist(command: readonly string[], variables: Variables): string {
  const environment =
    variables.length === 0
      ? ''
      : `  <key>EnvironmentVariables</key>\n  <dict>\n${variables.map(([name, value]) => `    <key>${xml(name)}</key>\n    <string>${xml(value)}</string>\n`).join('')}  </dict>\n`
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((word) => `    <string>${xml(word)}</string>\n`).join('')}  </array>
${environment}  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ProcessType</key>
  <string>Background</string>
</dict>
</plist>
`
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
