import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { API, type ProcessInfo } from './protocol.ts'

/** This process as the control API shows it. */
export function processInfo(root: string, role: ProcessInfo['role']): ProcessInfo {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return { api: API, version, pid: process.pid, role, since: new Date(performance.timeOrigin).toISOString() }
}
