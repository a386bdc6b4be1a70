import { createRequire } from 'node:module'
import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { JSONRPCErrorResponse, JSONRPCRequest, JSONRPCSuccessResponse } from 'json-rpc-2.0'
import type { Method, Methods } from './messages.ts'

const require = createRequire(import.meta.url)

/** The documents that describe every message; docs/executable-backends.md tells the same in prose. */
const documents = ['envelope', 'params', 'results', 'notifications', 'config'].map(
  (name) => require(`#schemas/executable/${name}.schema.json`) as { readonly $id: string },
)

let compiler: Ajv2020 | undefined
const compiled = new Map<string, ValidateFunction>()

/** The validator of one definition, compiled when it is first needed (compiling costs start-up time). */
function validator(reference: string): ValidateFunction | undefined {
  const known = compiled.get(reference)
  if (known !== undefined) return known
  compiler ??= new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false, schemas: documents })
  const found = compiler.getSchema(reference)
  if (found !== undefined) compiled.set(reference, found)
  return found
}

/** What is wrong with a value, in one line without the value itself; undefined when nothing is. */
function problem(reference: string, value: unknown): string | undefined {
  const validate = validator(reference)
  if (validate === undefined) return 'nothing describes it'
  if (validate(value)) return undefined
  const error = validate.errors?.at(0)
  return `${error?.instancePath === '' ? 'it' : error?.instancePath} ${error?.message}`
}

/** One line of an executable, as far as JSON-RPC goes. */
export type Incoming =
  | { readonly kind: 'success'; readonly message: JSONRPCSuccessResponse }
  | { readonly kind: 'failure'; readonly message: JSONRPCErrorResponse }
  | { readonly kind: 'call'; readonly message: JSONRPCRequest }
  | { readonly kind: 'garbage'; readonly problem: string }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads one line. Never throws, whatever the bytes are. */
export function parseLine(line: Uint8Array): Incoming {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(line))
  } catch {
    return { kind: 'garbage', problem: 'a line that is not JSON in UTF-8' }
  }
  const wrong = problem('beam:executable/envelope', value)
  if (wrong !== undefined) return { kind: 'garbage', problem: `a line that is no JSON-RPC 2.0 message (${wrong})` }
  const message = value as Record<string, unknown>
  if ('method' in message) return { kind: 'call', message: value as JSONRPCRequest }
  return 'error' in message
    ? { kind: 'failure', message: value as JSONRPCErrorResponse }
    : { kind: 'success', message: value as JSONRPCSuccessResponse }
}

/** What is wrong with parameters that Beam is about to send. */
export function paramsProblem(method: Method | 'cancel', params: unknown): string | undefined {
  return problem(`beam:executable/params#/$defs/${method}`, params)
}

/** What is wrong with the result of a method. */
export function resultProblem(method: Method, result: unknown): string | undefined {
  return problem(`beam:executable/results#/$defs/${method}`, result)
}

/** The result of a method, once {@link resultProblem} found nothing wrong with it. */
export function asResult<M extends Method>(_method: M, result: unknown): Methods[M]['result'] {
  return result as Methods[M]['result']
}

/** The notifications that Beam listens to. */
export const NOTIFICATION_NAMES = ['progress', 'address', 'state', 'log', 'warning'] as const

/** What is wrong with a notification. */
export function notificationProblem(method: (typeof NOTIFICATION_NAMES)[number], params: unknown): string | undefined {
  return problem(`beam:executable/notifications#/$defs/${method}`, params)
}

/** What is wrong with the options of an executable backend. */
export function configProblem(options: unknown): string | undefined {
  return problem('beam:executable/config', options)
}
