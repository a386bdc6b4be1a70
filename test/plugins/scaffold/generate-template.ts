/** `npm run generate-scaffold`: writes plugins/scaffold/template.generated.ts; with `--check` it fails when that file is stale. */
import { readFileSync, writeFileSync } from 'node:fs'
import { TEMPLATE_MODULE, templateModule } from './template.ts'

if (!process.argv.includes('--check')) writeFileSync(TEMPLATE_MODULE, templateModule())
else if (readFileSync(TEMPLATE_MODULE, 'utf8') !== templateModule()) {
  console.error('plugins/scaffold/template.generated.ts is stale')
  process.exitCode = 1
}
