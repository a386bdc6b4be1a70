/** `npm run docs:api`: every export of the package has a doc comment, and every link in one leads somewhere. */
import { join } from 'node:path'
import { Application, type DeclarationReflection, ReflectionKind } from 'typedoc'
import { ROOT } from './cruise.ts'

const app = await Application.bootstrap({
  entryPoints: ['plugins/index.ts', 'core/index.ts', 'core/testing/index.ts', 'backends/*/index.ts'].map((file) => join(ROOT, file)),
  tsconfig: join(ROOT, 'tsconfig.json'),
  // The compiler has its own step.
  skipErrorChecking: true,
  disableSources: true,
  readme: 'none',
  excludeInternal: true,
  excludeExternals: true,
  validation: { notExported: false, invalidLink: true, notDocumented: false },
  logLevel: 'Warn',
})
const project = await app.convert()
if (project === undefined) throw new Error('typedoc could not read the sources')
app.validate(project)

const isDocumented = (reflection: DeclarationReflection): boolean =>
  reflection.comment !== undefined || (reflection.signatures ?? []).some((signature) => signature.comment !== undefined)

const exported = project.getChildrenByKind(ReflectionKind.Module).flatMap((module) => module.children ?? [])
const silent = exported.filter((reflection) => !reflection.kindOf(ReflectionKind.Reference) && !isDocumented(reflection))
for (const reflection of silent) console.error(`${reflection.getFullName()} has no doc comment`)
console.log(`${exported.length} exports, ${silent.length} without a doc comment, ${app.logger.warningCount} warnings`)
process.exitCode = exported.length === 0 || silent.length > 0 || app.logger.hasErrors() || app.logger.hasWarnings() ? 1 : 0
