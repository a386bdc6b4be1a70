import { createRequire } from 'node:module'
import type { JsonSchema } from '../core/index.ts'

/** The schema of beam.config.yaml, without the backends' own blocks. */
export const beamSchema = createRequire(import.meta.url)('#schemas/beam.config.schema.json') as JsonSchema
