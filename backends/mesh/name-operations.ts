import { ConfigError, formatBeamAddress, openPins, UnreachableError, type BeamPaths } from '../../core/index.ts'
import { meshName } from './mesh-name.ts'
import { claimantsOf, resolveName, type NamesOptions } from './names.ts'
import type { Published } from './published.ts'

/** A tunnel of this process, as far as names go. */
export interface NamedTunnel {
  readonly name?: string
  readonly id: string
  readonly published: Published
}

/** What the operations on names need. */
export interface NameAccess {
  readonly tunnels: () => readonly NamedTunnel[]
  readonly names: () => NamesOptions
  readonly paths: BeamPaths
}

type Input = Readonly<Record<string, unknown>>
type Answer = Record<string, unknown>

/** Operations on names: `beam resolve`, `beam domain …`. */
export const NAME_OPERATIONS = {
  /** `{ name }` → the address that the name stands for, by the rules of a visit: it is remembered. */
  async resolve({ tunnels: _, ...access }: NameAccess, input: Input): Promise<Answer> {
    const name = nameIn(input)
    const warnings: Array<{ code: string; message: string }> = []
    const onWarning = (code: string, message: string): void => void warnings.push({ code, message })
    const address = await resolveName(name, { onWarning }, access.names())
    return { name, address, warnings }
  },
  /** `{ name }` → who claims it now, which key was accepted before, and whether a tunnel of this process claims it. Changes nothing. */
  async name(access: NameAccess, input: Input): Promise<Answer> {
    const name = nameIn(input)
    const pin = await openPins(access.paths).lookup(name)
    const claimants = await claimantsOf(name, pin, access.names())
    const own = access.tunnels().find(({ published }) => published.domain === name)
    return {
      name,
      claimants: claimants.map((key) => formatBeamAddress(key)),
      ...(pin === undefined ? {} : { accepted: formatBeamAddress(pin) }),
      ...(own === undefined ? {} : { own: claimOf(own) }),
    }
  },
  /** → the names that tunnels of this process claim, and those that were accepted when they were visited. */
  async names(access: NameAccess, input: Input): Promise<Answer> {
    onlyKeys(input, [])
    const accepted = [...(await openPins(access.paths).list())].map(([name, key]) => ({ name, address: formatBeamAddress(key) }))
    return { own: access.tunnels().flatMap((tunnel) => (tunnel.published.domain === undefined ? [] : [claimOf(tunnel)])), accepted }
  },
  /** `{ name, tunnel? }` → has a running tunnel claim a name, in place of the one before. */
  async claim(access: NameAccess, input: Input): Promise<Answer> {
    const name = nameIn(input, ['tunnel'])
    const wanted = input['tunnel']
    const tunnels = access.tunnels().filter((tunnel) => wanted === undefined || tunnel.name === wanted || tunnel.id === wanted)
    const [tunnel, another] = tunnels
    if (tunnel === undefined) return { claimed: false, tunnels: access.tunnels().map(({ name: own, id }) => own ?? id) }
    if (another !== undefined)
      throw new ConfigError('Several tunnels run on the mesh: say which one the name is to stand for.', {
        code: 'BEAM_ERR_USAGE',
        hint: `--tunnel with one of: ${tunnels.map(({ name: own, id }) => own ?? id).join(', ')}`,
      })
    await tunnel.published.claim(name)
    return { claimed: true, ...claimOf(tunnel) }
  },
  /** `{ name }` → gives a claim of a tunnel of this process up. */
  async unclaim(access: NameAccess, input: Input): Promise<Answer> {
    const name = nameIn(input)
    const tunnel = access.tunnels().find(({ published }) => published.domain === name)
    await tunnel?.published.claim(undefined)
    return { released: tunnel !== undefined }
  },
  /** `{ name }` → forgets which key was accepted for a name. */
  async forget(access: NameAccess, input: Input): Promise<Answer> {
    return { forgotten: await openPins(access.paths).forget(nameIn(input)) }
  },
} as const

function claimOf({ name, id, published }: NamedTunnel): Answer {
  return { domain: published.domain, tunnel: name ?? id, address: published.address }
}

function nameIn(input: Input, others: readonly string[] = []): string {
  onlyKeys(input, ['name', ...others])
  if (typeof input['name'] === 'string') return meshName(input['name'])
  throw new UnreachableError('Which name?', { code: 'BEAM_ERR_NOT_FOUND', retry: 'never' })
}

function onlyKeys(input: Input, allowed: readonly string[]): void {
  const other = Object.keys(input).find((key) => !allowed.includes(key))
  if (other !== undefined) throw new ConfigError(`This operation of the mesh takes no ${other}.`)
}
