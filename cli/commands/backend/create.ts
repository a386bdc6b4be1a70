import { relative } from 'node:path'
import { string as stringArg } from '@oclif/core/args'
import { string } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam backend create`: a package with a backend of one's own. */
export default class BackendCreate extends BeamCommand {
  static override summary = 'Write a package with a backend of your own: sources, schema, manifest, README and tests that pass.'
  static override description =
    'It begins as a complete small backend over loopback TCP; docs/backend-development.md tells how to go on. A program in another language can be a backend too: docs/executable-backends.md.'
  static override examples = [
    '<%= config.bin %> backend create my-net',
    '<%= config.bin %> backend create my-net --directory ./networks/my-net',
  ]
  static override args = {
    name: stringArg({ description: 'Name of the backend: lower-case letters, digits and hyphens.', required: true }),
  }
  static override flags = {
    directory: string({
      aliases: ['dir'],
      description: 'A new or empty folder. Default: beam-backend-NAME in this folder.',
      helpGroup: 'FILE',
      helpValue: 'FOLDER',
    }),
    language: string({
      description: 'Language of the sources.',
      helpGroup: 'FILE',
      options: ['typescript'],
      default: 'typescript',
    }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackendCreate)
    const { createBackendProject } = await import('../../../plugins/scaffold/index.ts')
    const directory = flags.directory ?? `beam-backend-${args.name}`
    const project = await createBackendProject({ directory, name: args.name, language: flags.language as 'typescript' })
    if (flags.json) return writeJson({ directory: project.directory, package: project.packageName, files: project.files })
    const folder = relative(process.cwd(), project.directory) || '.'
    process.stdout.write(`${folder}: ${project.files.length} files written. Next: cd ${folder} && npm install && npm test\n`)
    process.stdout.write(`Then: beam backend test ./${folder}, and name ./${folder} under plugins in beam.config.yaml to use it.\n`)
  }
}
