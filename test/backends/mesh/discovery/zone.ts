/** Records of a name server for tests, in the wire format of RFC 1035 and RFC 2782. */
export type Zone = ReadonlyArray<{ readonly name: string; readonly type: number; readonly data: Buffer }>

const TXT = 16
const SRV = 33

export function txt(name: string, ...strings: readonly string[]): Zone[number] {
  const data = Buffer.concat(strings.map((text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)])))
  return { name, type: TXT, data }
}

export function srv(name: string, { target, port, priority = 0 }: { target: string; port: number; priority?: number }): Zone[number] {
  const fixed = Buffer.alloc(6)
  fixed.writeUInt16BE(priority, 0)
  fixed.writeUInt16BE(port, 4)
  return { name, type: SRV, data: Buffer.concat([fixed, encodeName(target)]) }
}

export function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.of(0)])
}

/** The only question of a query. */
export function question(query: Buffer): { readonly id: number; readonly name: string; readonly type: number; readonly bytes: Buffer } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return {
    id: query.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: query.readUInt16BE(at + 1),
    bytes: query.subarray(12, at + 5),
  }
}
