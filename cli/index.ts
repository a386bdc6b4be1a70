/**
 * All commands at once, as oclif wants them for help and completion. Running a command loads that command only (cli/main.ts).
 * @packageDocumentation
 */
import type { Command } from '@oclif/core/command'
import { LOADERS } from './loaders.ts'

/** Every command's class by its id. */
export const COMMANDS: Readonly<Record<string, Command.Class>> = Object.fromEntries(
  await Promise.all(Object.entries(LOADERS).map(async ([id, load]) => [id, (await load()).default] as const)),
)
