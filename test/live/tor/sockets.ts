import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** One socket of a process, as /proc shows it (proc(5)). */
export interface OpenSocket {
  readonly protocol: 'tcp' | 'udp'
  readonly listens: boolean
  /** Whether its own end is on loopback, so that nobody else's machine reaches it. */
  readonly loopback: boolean
  readonly localPort: number
  /** Port of the far end; 0 when there is none. */
  readonly remotePort: number
}

/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A'

/** Internet sockets that a process has open now; none when it has ended. */
export function socketsOf(pid: number | undefined): OpenSocket[] {
  const inodes = new Set<string>()
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1]
      if (inode !== undefined) inodes.add(inode)
    }
  } catch {
    return []
  }
  return (['tcp', 'tcp6', 'udp', 'udp6'] as const).flatMap((table) =>
    readFileSync(`/proc/self/net/${table}`, 'latin1')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => inodes.has(columns[9] ?? ''))
      .map(([, local = '', remote = '', state]) => ({
        protocol: table.startsWith('tcp') ? ('tcp' as const) : ('udp' as const),
        listens: state === LISTEN,
        loopback: /^0.00007F:|^0{24}01000000:|^0{16}FFFF00000.00007F:/.test(local),
        localPort: portOf(local),
        remotePort: portOf(remote),
      })),
  )
}

/** Packets that an interface of this network namespace has sent. */
export function packetsSent(name: string): number {
  const rows = readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/[:\s]+/))
  return Number(rows.find(([first]) => first === name)?.[10])
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function portOf(address: string): number {
  return Number.parseInt(address.split(':').at(-1) ?? '', 16)
}
