import { readFileSync } from 'node:fs'

/** Packets that each interface of this network namespace has sent. */
export function sentPackets() {
  const rows = readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2).filter(Boolean)
  return Object.fromEntries(rows.map((row) => row.trim().split(/[:\s]+/)).map((columns) => [columns[0], Number(columns[10])]))
}
