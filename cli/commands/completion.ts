import { string as stringArg } from '@oclif/core/args'
import { BeamCommand } from '../base-command.ts'
import type { CompletedCommand } from '../completion/model.ts'

/** Shells that completion is written for. */
const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const

/** `beam completion bash`: a script that completes commands and flags in a shell. */
export default class Completion extends BeamCommand {
  static override summary = 'Print a script that completes commands and flags in your shell.'
  static override description = `To use it in every new shell:

  bash         echo 'eval "$(beam completion bash)"' >> ~/.bashrc
  zsh          echo 'eval "$(beam completion zsh)"' >> ~/.zshrc    (after compinit)
  fish         beam completion fish > ~/.config/fish/completions/beam.fish
  powershell   Add-Content $PROFILE 'beam completion powershell | Out-String | Invoke-Expression'`
  static override examples = SHELLS.map((shell) => `<%= config.bin %> completion ${shell}`)
  static override args = { shell: stringArg({ description: 'The shell.', options: [...SHELLS], required: true }) }

  async run(): Promise<void> {
    const { args } = await this.parse(Completion)
    const [{ loadOclifConfig }, { completionModel }] = await Promise.all([import('../oclif-config.ts'), import('../completion/model.ts')])
    const config = await loadOclifConfig(this.config.root, { commands: true })
    const model = completionModel(Object.fromEntries(config.commands.map((command) => [command.id, command])))
    process.stdout.write((await generatorFor(args.shell as (typeof SHELLS)[number]))(model))
  }
}

async function generatorFor(shell: (typeof SHELLS)[number]): Promise<(model: readonly CompletedCommand[]) => string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashCompletion
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshCompletion
    case 'fish':
      return (await import('../completion/fish.ts')).fishCompletion
    case 'powershell':
      return (await import('../completion/powershell.ts')).powershellCompletion
  }
}
