import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { encodeName, question, type Zone } from './zone.ts'

/** A name server on 127.0.0.1 that answers for the zone that it is given, and says of everything else that it does not exist. */
export async function startNameServer(zone: Zone): Promise<{ readonly place: string; readonly asked: string[]; close(): Promise<void> }> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query, { address, port }) => {
    const { id, name, type, bytes } = question(query)
    asked.push(name)
    const records = zone.filter((record) => record.name === name && record.type === type)
    const header = Buffer.alloc(12)
    header.writeUInt16BE(id, 0)
    // An authoritative answer; code 3 (NXDOMAIN) when there is nothing at all under the name.
    header.writeUInt16BE(zone.some((record) => record.name === name) ? 0x8400 : 0x8403, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(records.length, 6)
    const answers = records.map(({ data }) => {
      const fixed = Buffer.alloc(10)
      fixed.writeUInt16BE(type, 0)
      fixed.writeUInt16BE(1, 2)
      fixed.writeUInt32BE(60, 4)
      fixed.writeUInt16BE(data.length, 8)
      return Buffer.concat([encodeName(name), fixed, data])
    })
    socket.send(Buffer.concat([header, bytes, ...answers]), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    place: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}
