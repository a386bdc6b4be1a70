import { resolveBlock, type ResolvedBlock } from './backend-block.ts'
import type { BeamConfig } from './beam-config.generated.ts'
import { beamSchema } from './beam-schema.ts'
import { openCatalogue, pluginsOf, type Catalogue, type CatalogueOptions } from './catalogue.ts'
import { misspelt, overridesFor, setIn, variablesOf, type Override } from './environment.ts'
import { formatKeyPath, isMap, nameKeyPath, type KeyPath } from './key-path.ts'
import type { Environment } from './paths.ts'
import { inOrder, type Problem } from './problem.ts'
import { checkRules, type RuleFinding } from './rules.ts'
import type { Finding } from './schema-problem.ts'
import { placeOf, type ConfigSource } from './source.ts'
import { validate } from './validator.ts'

/** What a check needs besides the value. */
export interface CheckOptions extends CatalogueOptions {
  /** Variables that override settings. Default: none. */
  readonly env?: Environment
  /** The file that the value comes from, for places in messages. */
  readonly source?: ConfigSource
  /** What relative paths of the configuration refer to. */
  readonly folder: string
}

/** A checked configuration. */
export interface Checked {
  /** With defaults and overrides; only to be relied on when there are no problems. */
  readonly config: BeamConfig
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly overrides: readonly Override[]
  readonly catalogue: Catalogue
}

/** Variables that are read elsewhere: no slips of the pen. */
const OTHER_VARIABLES = ['BEAM_HOME', 'BEAM_CONFIG']

/** Completes a plain value with defaults and overrides, and checks everything in it that can be checked without starting a network. */
export async function checkConfig(input: unknown, options: CheckOptions): Promise<Checked> {
  const { env = {}, source, folder } = options
  const value = withoutEmpty(input)
  const overrides = isMap(value) ? overridesFor(beamSchema, env).filter(({ path, value: text }) => setIn(value, path, text)) : []
  const findings: RuleFinding[] = validate(beamSchema, value)
  const warnings: RuleFinding[] = []
  const config = isMap(value) ? value : {}
  const rules = checkRules(config)
  findings.push(...rules.problems)
  warnings.push(...rules.warnings)
  const borrowed: { path: KeyPath; from: KeyPath }[] = []
  const catalogue = await openCatalogue(options, { plugins: pluginsOf(config), folder })
  warnings.push(...failedPlugins(config, options))
  for (const [index, entry] of list(config['backends']).entries()) {
    if (!isMap(entry) || typeof entry['name'] !== 'string') continue
    const path: KeyPath = ['backends', index]
    const standing = await catalogue.standing(entry['name'])
    if (standing.state !== 'installed' && !Array.isArray(entry['command'])) {
      const found: Finding = { path: [...path, 'name'], part: 'value', message: standing.message }
      if (standing.state === 'unknown') findings.push(found)
      else warnings.push(found)
    }
    if (standing.state !== 'installed' || !isMap(entry['config'])) continue
    const resolved = placed(resolveBlock(standing.schema, entry['config'], config, env), [...path, 'config'])
    entry['config'] = resolved.block
    findings.push(...resolved.findings)
    overrides.push(...resolved.overrides)
    borrowed.push(...resolved.borrowed)
  }
  const locate = (finding: RuleFinding): Problem => describe(finding, { config, source, overrides, borrowed })
  // What is wrong where it was borrowed from need not be told for the borrower too.
  const told = (finding: RuleFinding): boolean =>
    borrowed.some(({ path, from }) => startsWith(finding.path, path) && findings.some((other) => startsWith(other.path, from)))
  return {
    config: config as unknown as BeamConfig,
    problems: inOrder(findings.filter((finding) => !told(finding)).map(locate)),
    warnings: [...inOrder(warnings.map(locate)), ...misspeltVariables(env, await catalogue.variables())],
    overrides,
    catalogue,
  }
}

function failedPlugins(config: Record<string, unknown>, { failures = [] }: CatalogueOptions): Finding[] {
  const entries = list(config['plugins'])
  return failures.flatMap(({ source, error }): Finding[] => {
    const index = entries.indexOf(source)
    return index === -1 ? [] : [{ path: ['plugins', index], part: 'value', message: error.message }]
  })
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

/** A section whose entries are all commented out is as good as absent. */
function withoutEmpty(input: unknown): unknown {
  if (input === undefined || input === null) return {}
  const value = structuredClone(input)
  if (!isMap(value)) return value
  for (const key of Object.keys(value)) if (value[key] === null) delete value[key]
  for (const entry of list(value['backends'])) if (isMap(entry) && entry['config'] === null) delete entry['config']
  return value
}

function placed(block: ResolvedBlock, prefix: KeyPath): ResolvedBlock {
  return {
    block: block.block,
    findings: block.findings.map((finding) => ({ ...finding, path: [...prefix, ...finding.path] })),
    overrides: block.overrides.map((override) => ({ ...override, path: [...prefix, ...override.path] })),
    borrowed: block.borrowed.map(({ path, from }) => ({ path: [...prefix, ...path], from })),
  }
}

interface Surroundings {
  readonly config: unknown
  readonly source: ConfigSource | undefined
  readonly overrides: readonly Override[]
  readonly borrowed: readonly { readonly path: KeyPath; readonly from: KeyPath }[]
}

/** Puts a finding in words that name where the value came from: a variable, a setting elsewhere, or its place in the file. */
function describe(finding: RuleFinding, around: Surroundings): Problem {
  const { config, source, overrides, borrowed } = around
  const path = formatKeyPath(nameKeyPath(config, finding.path))
  const override = overrides.find((one) => startsWith(finding.path, one.path))
  if (override !== undefined) return { variable: override.variable, path, message: finding.message }
  if (source === undefined) return { path, message: finding.message }
  const lender = borrowed.find((one) => startsWith(finding.path, one.path))
  const at: Finding = lender === undefined ? finding : { ...finding, path: [...lender.from, ...finding.path.slice(lender.path.length)] }
  const other = finding.other === undefined ? '' : ` (line ${placeOf(source, finding.other, 'value').line})`
  const from = lender === undefined ? '' : ` (from ${formatKeyPath(lender.from)})`
  return { file: source.file, ...placeOf(source, at.path, at.part), path, message: `${finding.message}${other}${from}` }
}

function startsWith(path: KeyPath, start: KeyPath): boolean {
  return start.every((step, index) => path[index] === step)
}

function misspeltVariables(env: Environment, ofBackends: readonly string[]): Problem[] {
  const known = [...variablesOf(beamSchema), ...OTHER_VARIABLES, ...ofBackends]
  return misspelt(env, known).map(({ written, meant }) => ({
    variable: written,
    path: '',
    message: `no setting has this variable; did you mean ${meant}?`,
  }))
}
