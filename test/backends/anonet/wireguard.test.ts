import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDump } from '../../../backends/anonet/wireguard/dump.ts'
import { endpointRequest, readErrno, readState, setRequest } from '../../../backends/anonet/wireguard/uapi.ts'

const PRIVATE = 'e'.repeat(64)
const PUBLIC = '0123456789abcdef'.repeat(4)

/** What wireguard-go said. */
const ANSWER = `private_key=${PRIVATE}
listen_port=51001
public_key=${PUBLIC}
preshared_key=${'0'.repeat(64)}
protocol_version=1
endpoint=10.99.1.2:51001
last_handshake_time_sec=1795163934
last_handshake_time_nsec=419646083
tx_bytes=3104
rx_bytes=3012
persistent_keepalive_interval=25
allowed_ip=0.0.0.0/0
allowed_ip=::/0
public_key=${'f'.repeat(64)}
last_handshake_time_sec=0
errno=0

`
const STATE = {
  listenPort: 51001,
  peers: [
    { publicKey: PUBLIC, endpoint: '10.99.1.2:51001', lastHandshake: 1795163934, sentBytes: 3104, receivedBytes: 3012 },
    { publicKey: 'f'.repeat(64), sentBytes: 0, receivedBytes: 0 },
  ],
}

describe('WireGuard in user space', () => {
  it('tells its state, of which the private keys are not kept', () => {
    expect(readState(ANSWER)).toEqual(STATE)
    expect(JSON.stringify(readState(ANSWER))).not.toContain(PRIVATE)
  })

  it('any text is a state, or an error', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...ANSWER.split('\n'), 'rx_bytes=-1', 'public_key=zz', '=', 'errno=x', 'listen_port=99999')),
        (lines) => {
          try {
            readState(`${lines.join('\n')}\n`)
          } catch (error) {
            expect((error as Error).name).toBe('ProtocolError')
          }
        },
      ),
    )
    expect(() => readErrno('private_key=…')).toThrow(/not WireGuard/)
  })

  it('is told to have one peer, to whom everything may go', () => {
    const request = setRequest({ privateKey: PRIVATE, listenPort: 51820, peer: PUBLIC, endpoint: '192.0.2.1:5', keepaliveSeconds: 25 })
    expect(request).toBe(
      `set=1\nprivate_key=${PRIVATE}\nlisten_port=51820\nreplace_peers=true\npublic_key=${PUBLIC}\nendpoint=192.0.2.1:5\npersistent_keepalive_interval=25\nreplace_allowed_ips=true\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\n\n`,
    )
    expect(endpointRequest(PUBLIC, '192.0.2.1:5')).toContain('update_only=true')
  })
})

describe('WireGuard in the kernel', () => {
  const key = Buffer.from(PUBLIC, 'hex').toString('base64')
  const dump = `${Buffer.from(PRIVATE, 'hex').toString('base64')}\t${key}\t51001\toff\n${key}\t(none)\t10.99.1.2:51001\t0.0.0.0/0,::/0\t1795163934\t3012\t3104\t25\n`

  it('tells the same by wg', () => {
    expect(readDump(dump)).toEqual({ ...STATE, peers: [STATE.peers[0]] })
    expect(JSON.stringify(readDump(dump))).not.toContain(Buffer.from(PRIVATE, 'hex').toString('base64'))
  })

  it('any text is a dump, or an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\t', '\n', '0', 'a', '=', '-') }), (text) => {
        try {
          readDump(text)
        } catch (error) {
          expect((error as Error).name).toBe('ProtocolError')
        }
      }),
    )
  })
})
