import { isMap, type KeyPath } from './key-path.ts'
import { nearest } from './nearest.ts'
import type { Finding } from './schema-problem.ts'
import { listWords } from './show-value.ts'

/** A finding that points to a second place: the first of two things that clash. */
export interface RuleFinding extends Finding {
  readonly other?: KeyPath
}

/** What no schema can say. */
export interface RuleFindings {
  readonly problems: readonly RuleFinding[]
  readonly warnings: readonly RuleFinding[]
}

/** Most findings of a kind: to find the place of each in the file takes time, and nobody reads more. */
const MAX_FINDINGS = 100

/**
 * Checks what concerns several settings at once: names, ports and domains that are there twice, and tunnels on backends that are not
 * declared. Takes a value that need not fit the schema (so that all errors are told at once) and passes over what has a wrong form.
 */
export function checkRules(config: Record<string, unknown>): RuleFindings {
  const backends = entries(config, 'backends')
  const tunnels = entries(config, 'tunnels')
  const chains = tunnels.map(([index, tunnel]) =>
    checkChain(
      index,
      tunnel,
      backends.map(([, backend]) => backend),
    ),
  )
  const problems = [
    ...twice(backends.map(([index, { name }]) => [['backends', index, 'name'], name])),
    ...twice(tunnels.map(([index, { name }]) => [['tunnels', index, 'name'], name])),
    ...twice(tunnels.map(([index, { domain }]) => [['tunnels', index, 'domain'], domain])),
    ...twice(list(config, 'plugins').map((name, index) => [['plugins', index], name])),
    ...samePort(tunnels),
    ...chains.flatMap(({ problems }) => problems),
  ]
  const warnings = chains.flatMap(({ warnings }) => warnings)
  return { problems: problems.slice(0, MAX_FINDINGS), warnings: warnings.slice(0, MAX_FINDINGS) }
}

type Entry = readonly [index: number, value: Record<string, unknown>]

function list(config: Record<string, unknown>, key: string): unknown[] {
  const value = config[key]
  return Array.isArray(value) ? (value as unknown[]) : []
}

function entries(config: Record<string, unknown>, key: string): Entry[] {
  return list(config, key).flatMap((value, index): Entry[] => (isMap(value) ? [[index, value]] : []))
}

/** Texts that are there a second time. */
function twice(values: readonly (readonly [KeyPath, unknown])[]): RuleFinding[] {
  const first = new Map<string, KeyPath>()
  return values.flatMap(([path, value]) => {
    if (typeof value !== 'string') return []
    const other = first.get(value)
    if (other === undefined) first.set(value, path)
    return other === undefined ? [] : [{ path, part: 'value' as const, message: `${JSON.stringify(value)} is there already`, other }]
  })
}

/** Names under which a machine knows itself. */
const LOCAL_HOSTS: readonly unknown[] = [undefined, 'localhost', '127.0.0.1', '::1']

function samePort(tunnels: readonly Entry[]): RuleFinding[] {
  const first = new Map<string, readonly [string, KeyPath]>()
  return tunnels.flatMap(([index, tunnel]) => {
    const { name, host, port } = tunnel
    if (typeof port !== 'number') return []
    const path: KeyPath = ['tunnels', index, 'port']
    const place = `${LOCAL_HOSTS.includes(host) ? 'localhost' : String(host)}:${port}`
    const other = first.get(place)
    if (other === undefined) first.set(place, [String(name), path])
    if (other === undefined) return []
    return [
      { path, part: 'value' as const, message: `${port} is published by the tunnel ${JSON.stringify(other[0])} already`, other: other[1] },
    ]
  })
}

function checkChain(index: number, tunnel: Record<string, unknown>, backends: readonly Record<string, unknown>[]): RuleFindings {
  const chain = list(tunnel, 'backends')
  const names = [...new Set(backends.map(({ name }) => name).filter((name) => typeof name === 'string'))]
  const usable = backends.filter(({ enabled }) => enabled !== false).map(({ name }) => name)
  const problems: RuleFinding[] = unusedWeights(index, tunnel, chain.length === 0 ? usable : chain)
  const warnings: RuleFinding[] = []
  for (const [position, name] of chain.entries()) {
    if (typeof name !== 'string') continue
    const at = { path: ['tunnels', index, 'backends', position], part: 'value' as const }
    if (!names.includes(name)) problems.push({ ...at, message: undeclared(name, names) })
    else if (!usable.includes(name)) warnings.push({ ...at, message: `${JSON.stringify(name)} is not enabled and so is passed over` })
  }
  const declared = chain.filter((name) => typeof name === 'string' && names.includes(name))
  if (declared.length === 0 || declared.length < chain.length || declared.some((name) => usable.includes(name)))
    return { problems, warnings }
  return { problems: [{ path: ['tunnels', index, 'backends'], part: 'value', message: 'none of these backends is enabled' }], warnings: [] }
}

/** Weights of backends that the tunnel does not use. */
function unusedWeights(index: number, { weights }: Record<string, unknown>, used: readonly unknown[]): RuleFinding[] {
  if (!isMap(weights)) return []
  return Object.keys(weights)
    .filter((name) => !used.includes(name))
    .map((name) => ({
      path: ['tunnels', index, 'weights', name],
      part: 'key' as const,
      message: `the tunnel does not use ${JSON.stringify(name)}`,
    }))
}

function undeclared(name: string, names: readonly string[]): string {
  const guess = nearest(name, names)
  const suggestion = guess === undefined ? '' : `; did you mean "${guess}"?`
  return `${JSON.stringify(name)} is not declared under backends${suggestion}${guess === undefined ? '; declared' : ' Declared'}: ${listWords(names)}`
}
