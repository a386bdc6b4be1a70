import { createSocket, type Socket as UdpSocket } from 'node:dgram'

/** A UDP socket on all addresses of both families, or of IPv4 where there is no IPv6. */
export async function openUdp(port: number): Promise<UdpSocket> {
  try {
    return await bound(createSocket('udp6'), port)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw error
    return bound(createSocket('udp4'), port)
  }
}

function bound(socket: UdpSocket, port: number): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind(port, () => {
      socket.removeAllListeners('error').on('error', () => {})
      resolve(socket)
    })
  })
}
