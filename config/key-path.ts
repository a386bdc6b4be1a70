import { ConfigError } from '../core/index.ts'

/** A way into the configuration: keys of maps and indices of lists. */
export type KeyPath = readonly (string | number)[]

/** Longest path that is read; the deepest setting needs a tenth of it. */
const MAX_PATH_LENGTH = 1024

const SEGMENT = /(?:^|\.)([^.[\]"\s]+)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\]/y

/**
 * Reads a path as it is typed: `p2p.maxPeers`, `tunnels[0].port`, `tunnels.api-server.port`, `tunnels["my.tunnel"].port`.
 * @throws ConfigError when it has another form.
 */
export function parseKeyPath(text: string): KeyPath {
  const path: (string | number)[] = []
  const wrong = (): ConfigError =>
    new ConfigError(`${JSON.stringify(text.slice(0, 80))} is not the path of a setting.`, {
      hint: 'Write it like p2p.maxPeers, tunnels[0].port, tunnels.web.port or tunnels["my.web"].port.',
    })
  if (text === '' || text.length > MAX_PATH_LENGTH) throw wrong()
  let at = 0
  while (at < text.length) {
    SEGMENT.lastIndex = at
    const match = SEGMENT.exec(text)
    if (match === null) throw wrong()
    const [whole, key, index, quoted] = match
    if (key !== undefined) path.push(key)
    else if (index !== undefined) path.push(Number(index))
    else path.push(unquote(quoted ?? '', wrong))
    at += whole.length
  }
  // No setting has this name, and in JavaScript it means something else.
  if (path.includes('__proto__')) throw wrong()
  return path
}

function unquote(text: string, wrong: () => ConfigError): string {
  try {
    return JSON.parse(text) as string
  } catch {
    throw wrong()
  }
}

/** The path as {@link parseKeyPath} reads it. */
export function formatKeyPath(path: KeyPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (!/^[^.[\]"\s]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}

/** Whether a value has keys of its own. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Index of the thing with this name in a list of named things, or -1. */
export function indexOfNamed(list: readonly unknown[], name: string | number): number {
  if (typeof name === 'number') return name < list.length ? name : -1
  return list.findIndex((item) => isMap(item) && item['name'] === name)
}

/** The path with names of things in lists put in place of their indices, where the name is unmistakable: what people read. */
export function nameKeyPath(root: unknown, path: KeyPath): KeyPath {
  const named: (string | number)[] = []
  let here: unknown = root
  for (const step of path) {
    const next: unknown = childOf(here, step)
    const name = typeof step === 'number' && isMap(next) ? next['name'] : undefined
    const unmistakable = typeof name === 'string' && Array.isArray(here) && indexOfNamed(here, name) === step
    const unique = unmistakable && (here as unknown[]).filter((item) => isMap(item) && item['name'] === name).length === 1
    named.push(unique ? name : step)
    here = next
  }
  return named
}

/** What a map or list holds under a key, index or name; undefined when there is nothing of its own. */
export function childOf(container: unknown, step: string | number): unknown {
  if (Array.isArray(container)) return container[indexOfNamed(container, step)]
  if (isMap(container) && Object.hasOwn(container, step)) return container[step]
  return undefined
}

/** What the path leads to, or undefined. Things in lists are found by index or by name. */
export function valueAt(root: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((here, step) => (here === undefined ? undefined : childOf(here, step)), root)
}
