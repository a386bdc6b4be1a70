export { join, type JoinResult } from './join.ts'
export { resetStream } from './reset.ts'
export { connectForJoin } from './onread-socket.ts'
export { copiesOnWrite, readInto, type DirectSource, type Sink } from './sink.ts'
