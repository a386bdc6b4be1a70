/** What BIRD's `show` commands answer, read without I/O. Columns of time are not looked at; lines that are not understood are left out. */
import type { BirdReply } from './reply.ts'

/** A line of `show protocols`. */
export interface BirdProtocol {
  readonly name: string
  /** `BGP`, `Static`, `Kernel`, … */
  readonly type: string
  readonly state: string
  /** Of a BGP session: `Established`, `Active`, `Connect`, …, perhaps with an error behind it. */
  readonly info: string
}

/** A line of `show bfd sessions`. */
export interface BfdSession {
  readonly address: string
  readonly interface: string
  readonly state: string
  /** Seconds. */
  readonly interval: number
  readonly timeout: number
}

/** A route of `show route`. */
export interface BirdRoute {
  readonly prefix: string
  readonly protocol: string
  readonly primary: boolean
  /** The AS that announced it; undefined for routes that did not come by BGP. */
  readonly originAs?: number
}

const texts = ({ lines }: BirdReply, code: number): string[] => lines.flatMap((line) => (line.code === code ? [line.text] : []))

/** `show protocols` (codes 2002, 1002). */
export function readProtocols(reply: BirdReply): BirdProtocol[] {
  return texts(reply, 1002).flatMap((text) => {
    // Name, type, table, state, since (a time, or a date with a time in some settings), info.
    const parts = /^(\S+)\s+(\S+)\s+\S+\s+(\S+)\s+[\d:.-]+(?:\s+\d+:[\d:.]+)?\s*(.*)$/.exec(text)
    if (parts === null) return []
    const [, name = '', type = '', state = '', info = ''] = parts
    return [{ name, type, state, info: info.trim() }]
  })
}

/** `show bfd sessions` (code 1020). */
export function readBfdSessions(reply: BirdReply): BfdSession[] {
  return texts(reply, 1020).flatMap((text) => {
    const parts = /^(\d+\.\d+\.\d+\.\d+|[0-9a-f:]+:[0-9a-f:]*)\s+(\S+)\s+(\S+)\s+.*?\s([\d.]+)\s+([\d.]+)$/i.exec(text.trimEnd())
    if (parts === null) return []
    const [, address = '', face = '', state = '', interval, timeout] = parts
    return [{ address, interface: face, state, interval: Number(interval), timeout: Number(timeout) }]
  })
}

/** `show route …` (code 1007). */
export function readRoutes(reply: BirdReply): BirdRoute[] {
  let prefix = ''
  return texts(reply, 1007).flatMap((text) => {
    const parts =
      /^(\d+\.\d+\.\d+\.\d+\/\d+|[0-9a-f:]+\/\d+)?\s+(?:\w+)\s+\[(\S+)[^\]]*\]\s+([*!]?)\s*\(\d+[^)]*\)(?:\s+\[(?:AS(\d+))?[^\]]*\])?/i.exec(
        text,
      )
    if (parts === null) return []
    // Further routes of one prefix do not repeat it.
    // `!` is the first choice too, which the kernel did not take.
    const [, own, protocol = '', mark, as] = parts
    prefix = own ?? prefix
    return [{ prefix, protocol, primary: mark !== '', ...(as !== undefined && { originAs: Number(as) }) }]
  })
}

/** The configuration file in the reply to `configure` and `configure check` (code 0002). */
export function readConfigPath(reply: BirdReply): string | undefined {
  const [text = ''] = texts(reply, 2)
  return /^Reading configuration from (.+)$/.exec(text)?.[1]
}

/** The version in BIRD's greeting (code 0001). */
export function readVersion(reply: BirdReply): string | undefined {
  return /^BIRD (\S+) ready/.exec(texts(reply, 1)[0] ?? '')?.[1]
}
