import { Command } from '@oclif/core/command'
import type { Config } from '@oclif/core/config'
import { boolean } from '@oclif/core/flags'

/** Flags that every command has. */
const COMMON_FLAGS = {
  verbose: boolean({ char: 'v', description: 'Write a log to stderr, and stack traces of errors.', helpGroup: 'OUTPUT' }),
}

/** The class of a command. */
export type CommandClass = (new (argv: string[], config: Config) => BeamCommand) & typeof BeamCommand

/** A command of Beam: it parses, calls the SDK and prints. Errors are thrown; cli/main.ts prints them. */
export abstract class BeamCommand extends Command {
  static override baseFlags = COMMON_FLAGS

  /** Runs the command with oclif's configuration as it is (`Command.run` would load it a second time). */
  static async execute(this: new (argv: string[], config: Config) => BeamCommand, argv: readonly string[], config: Config): Promise<void> {
    await new this([...argv], config)._run()
  }

  abstract override run(): Promise<void>

  protected override catch(error: Error): Promise<never> {
    return Promise.reject(error)
  }
}
