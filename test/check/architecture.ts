/** `npm run generate-architecture [-- --check]`: draws who imports whom, folder by folder, from the code into ARCHITECTURE.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cruise, ROOT } from './cruise.ts'
import { drawLayers, replaceDrawing } from './drawing.ts'

const file = join(ROOT, 'ARCHITECTURE.md')
const before = readFileSync(file, 'utf8')
const after = replaceDrawing(before, drawLayers(cruise().modules))
if (process.argv.includes('--check')) {
  if (after !== before) console.error('ARCHITECTURE.md does not draw the imports as they are')
  process.exitCode = after === before ? 0 : 1
} else {
  writeFileSync(file, after)
}
