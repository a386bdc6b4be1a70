import { createRequire } from 'node:module'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { ProtocolError } from '../../core/errors.ts'

/** What can be checked: a definition of one of the files. */
export type Definition = `requests#/$defs/${string}` | `answers#/$defs/${string}` | `${'onion' | 'network'}#/$defs/${string}`

const BASE = 'beam:/schemas/control/'
const require = createRequire(import.meta.url)

let ajv: Ajv2020 | undefined

/** The check for a definition in schemas/control/, or of what backends answer. */
export function validator(definition: Definition): ValidateFunction {
  ajv ??= load()
  const [file, path] = definition.split('#')
  const check = ajv.getSchema(`${BASE}${file}.schema.json#${path}`)
  if (check === undefined) throw new Error(`the schemas have no ${definition}`)
  return check
}

/** What is wrong with a value, for people; undefined when it is right. */
export function faultOf(definition: Definition, value: unknown): string | undefined {
  const check = validator(definition)
  if (check(value)) return undefined
  const { instancePath, message, params } = check.errors?.[0] ?? {}
  const extra = (params as { additionalProperty?: string } | undefined)?.additionalProperty
  return `${instancePath === '' || instancePath === undefined ? 'it' : instancePath} ${message ?? 'is wrong'}${extra === undefined ? '' : ` (${extra})`}`
}

/**
 * Checks a value that came from another process.
 * @throws ProtocolError (`BEAM_ERR_CONTROL`)
 */
export function requireValid(definition: Definition, value: unknown, whose: string): void {
  const fault = faultOf(definition, value)
  if (fault !== undefined) {
    throw new ProtocolError(`${whose} is not what the control API describes: ${fault}.`, {
      code: 'BEAM_ERR_CONTROL',
      hint: 'The two processes may be of different versions of Beam: restart the daemon (beam daemon stop, beam daemon start).',
    })
  }
}

function load(): Ajv2020 {
  // Formats and words of other vocabularies are not used; the files are ours and tested, so they are not checked again at each start.
  const made = new Ajv2020({ strict: false, validateSchema: false, meta: false })
  made.addSchema(require('#schemas/beam.config.schema.json') as object, 'beam:/schemas/beam.config.schema.json')
  made.addSchema(require('#schemas/events.schema.json') as object, 'beam:/schemas/events.schema.json')
  for (const file of ['onion', 'network']) made.addSchema(require(`#schemas/${file}.schema.json`) as object, `${BASE}${file}.schema.json`)
  for (const file of ['requests', 'answers'])
    made.addSchema(require(`#schemas/control/${file}.schema.json`) as object, `${BASE}${file}.schema.json`)
  return made
}
