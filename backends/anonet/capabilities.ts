import type { BackendCapabilities, Operation } from '../../core/index.ts'

/** What this network can do and what it reveals. */
export const CAPABILITIES: BackendCapabilities = {
  supportsDomains: false,
  supportsIPv6: false,
  maxThroughput: Infinity,
  anonymityLevel: 'low',
  censorshipResistance: 'medium',
  delivery: 'stream',
  // A friend knows the other's IP address; who is further away does not learn it. Of two that may be, the worse is said.
  exposesPublisherIp: true,
  exposesVisitorIp: true,
  persistentAddresses: true,
  accessControl: false,
}

/** What its user can ask of it. */
export const OPERATIONS: readonly Operation[] = [
  { name: 'status', description: 'Sessions, prefixes, traffic and handshakes of the mesh.', changes: false },
  { name: 'friends', description: 'Friends and open invitations.', changes: false },
  { name: 'invite', description: 'Make an invitation for a friend.', changes: true },
  { name: 'accept', description: 'Accept an invitation, or the answer to one.', changes: true },
  { name: 'revoke', description: 'End a friendship, or withdraw an invitation.', changes: true },
]
