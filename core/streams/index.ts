export { join, type JoinResult } from './join.ts'
export { resetStream } from './reset.ts'
export { connectForJoin, copiesOnWrite } from './onread-socket.ts'
