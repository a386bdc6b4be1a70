/**
 * For authors of backends and for tests: the conformance suite, a network inside one process, fault injection, and nets of nodes on loopback.
 * @packageDocumentation
 */
export * from './conformance/index.ts'
export { MemoryBackend } from './memory-backend.ts'
export { MemoryMessageBackend } from './memory-messages.ts'
export { MemorySiteBackend } from './memory-sites.ts'
export { MemoryNetwork } from './memory-network.ts'
export { MemoryStream } from '../streams/memory-stream.ts'
export { faulty, type Faulty } from './fault-injection.ts'
export { FaultControl, type Faults } from './fault-control.ts'
export { seededRandom } from './random.ts'
export { testnet, type Testnet, type TestnetNode, type TestnetOptions } from './testnet.ts'
