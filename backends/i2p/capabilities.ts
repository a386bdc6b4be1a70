import type { BackendCapabilities } from '../../core/index.ts'
import { fewestHops, type TunnelShape } from './session-options.ts'

/** What I2P can do and reveals with tunnels of this shape. */
export function capabilitiesOf(shape: TunnelShape): BackendCapabilities {
  return {
    supportsDomains: false,
    supportsIPv6: true,
    // i2pd’s window is 128 packets of 1730 bytes; its specification sets no other limit.
    maxThroughput: Infinity,
    // The visitor's outbound and the service's inbound tunnel, taken to be as long as this end's.
    relays: 2 * fewestHops(shape),
    // Tunnels without hops show the router to whoever looks.
    anonymityLevel: fewestHops(shape) >= 3 ? 'medium' : fewestHops(shape) > 0 ? 'low' : 'none',
    censorshipResistance: 'medium',
    delivery: 'stream',
    exposesPublisherIp: fewestHops(shape) === 0,
    exposesVisitorIp: false,
    persistentAddresses: true,
    // Visitor keys and secrets of Beam cannot be asked for inside of I2P; what it has instead are options of its own.
    accessControl: false,
    // The router says OK when the first packet leaves.
    opensUnheard: true,
  }
}
