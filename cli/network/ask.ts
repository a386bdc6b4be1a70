import { BackendUnavailableError } from '../../core/errors.ts'
import type { OperationData, ProcessInfo } from '../daemon/protocol.ts'
import { operateWhereUsed } from '../operate.ts'
import { answerOf, type Answers, type NodeStatus, type PeerFigures } from './answers.ts'

/** Whose answer it is. */
export type Owner = Pick<ProcessInfo, 'pid' | 'role'>

/** What one Beam process answered. */
export interface Answer<T> {
  readonly owner: Owner
  readonly answer: T
}

/** The operation's name on the wire, and the shape of what it answers. */
export interface Question<K extends keyof Answers> {
  readonly operation: string
  readonly shape: K
  readonly input?: OperationData
}

/** Asks every Beam process that uses the mesh; empty when none does. */
export async function askWhereUsed<K extends keyof Answers>({ operation, shape, input = {} }: Question<K>): Promise<Answer<Answers[K]>[]> {
  const answers = await operateWhereUsed({ backend: 'mesh', operation, input })
  return answers.map(({ process: { pid, role }, answer }) => ({ owner: { pid, role }, answer: answerOf(shape, answer) }))
}

/** The same. @throws BackendUnavailableError (`BEAM_ERR_BACKEND_IDLE`) when none does */
export async function ask<K extends keyof Answers>(question: Question<K>): Promise<Answer<Answers[K]>[]> {
  const answers = await askWhereUsed(question)
  if (answers.length > 0) return answers
  throw new BackendUnavailableError('No Beam process takes part in the mesh now.', {
    code: 'BEAM_ERR_BACKEND_IDLE',
    hint: 'Publish something (beam 3000) or run a node (beam node), and ask again from another terminal.',
  })
}

/** Has the mesh answer also when no process uses it: from what is on disk, or by asking its sources from here. */
export async function askAnyway<K extends keyof Answers>(question: Question<K>): Promise<Answers[K]> {
  const { operation, shape, input = {} } = question
  const [first] = await askWhereUsed(question)
  if (first !== undefined) return first.answer
  return answerOf(shape, await operateHere(operation, input))
}

/** Carries out an operation in this process, with a mesh that is made for it alone and ends with it. */
export async function operateHere(operation: string, input: OperationData): Promise<OperationData> {
  const [{ createBackend }, { isOperable }] = await Promise.all([import('../../plugins/create-backend.ts'), import('../../core/index.ts')])
  const backend = await createBackend('mesh', { configFile: true })
  try {
    if (!isOperable(backend)) throw new BackendUnavailableError('This mesh has no operations.')
    return await backend.operate(operation, input)
  } finally {
    await backend[Symbol.asyncDispose]()
  }
}

/** A node with its peers. */
export interface Snapshot {
  readonly owner: Owner
  readonly status: NodeStatus
  readonly peers: readonly PeerFigures[]
}

/** All nodes of this user as they are now. `addresses`: also where the peers are, which only a database of countries needs. */
export async function snapshots({ addresses = false }: { readonly addresses?: boolean } = {}): Promise<readonly Snapshot[]> {
  const [nodes, peers] = await Promise.all([
    ask({ operation: 'status', shape: 'status' }),
    askWhereUsed({ operation: 'peers', shape: 'peers', ...(addresses ? { input: { addresses: true } } : {}) }),
  ])
  // Instances of one process answer in the same order.
  const left = [...peers]
  return nodes.map(({ owner, answer: status }) => {
    const at = left.findIndex((one) => one.owner.pid === owner.pid)
    const [found] = at < 0 ? [] : left.splice(at, 1)
    return { owner, status, peers: found?.answer.peers ?? [] }
  })
}
