import { ConfigError, UnreachableError } from '../../core/errors.ts'
import type { PinStore } from '../../core/index.ts'
import { operateWhereUsed } from '../operate.ts'
import { answerOf, type Answers, type Claim } from './answers.ts'
import { askAnyway, askWhereUsed, operateHere } from './ask.ts'

/**
 * Has a running tunnel claim a name.
 * @throws ConfigError (`BEAM_ERR_USAGE`) when several could and none was named; UnreachableError (`BEAM_ERR_NOT_FOUND`) when there is none
 */
export async function registerDomain(name: string, tunnel: string | undefined): Promise<Claim & { readonly before?: string }> {
  // Asked first, so that the right process is told, and only one.
  const { tunnels } = await tunnelsOnMesh()
  const fitting = tunnels.filter((one) => tunnel === undefined || one.name === tunnel || one.id === tunnel)
  const [only, another] = fitting
  if (only === undefined) {
    throw new UnreachableError(
      tunnel === undefined ? 'No tunnel of yours runs on the mesh.' : `No tunnel ${tunnel} of yours runs on the mesh.`,
      {
        code: 'BEAM_ERR_NOT_FOUND',
        hint:
          tunnels.length === 0
            ? `To publish with a name: beam 3000 --domain ${name}`
            : `There are: ${tunnels.map((one) => one.name ?? one.id).join(', ')}`,
      },
    )
  }
  if (another !== undefined) {
    throw new ConfigError('Several tunnels run on the mesh: say which one the name is to stand for.', {
      code: 'BEAM_ERR_USAGE',
      hint: `--tunnel with one of: ${fitting.map((one) => one.name ?? one.id).join(', ')}`,
    })
  }
  const { own } = await allNames()
  const answers = await operateWhereUsed({ backend: 'mesh', operation: 'claim', input: { name, tunnel: only.id } })
  const claimed = answers.map(({ answer }) => answer).find((answer) => answer['claimed'] === true)
  if (claimed === undefined) throw new UnreachableError('The tunnel ended in the meantime.', { code: 'BEAM_ERR_NOT_FOUND' })
  const { domain, tunnel: by, address } = claimed
  // A tunnel claims one name: the one before is given up.
  const before = own.find((claim) => claim.address === address && claim.domain !== domain)?.domain
  return { domain: String(domain), tunnel: String(by), address: String(address), ...(before === undefined ? {} : { before }) }
}

async function tunnelsOnMesh(): Promise<{ readonly tunnels: ReadonlyArray<{ readonly id: string; readonly name?: string }> }> {
  const [{ beamPaths }, { findProcesses }] = await Promise.all([import('../../config/paths.ts'), import('../daemon/find-processes.ts')])
  const { processes } = await findProcesses(beamPaths())
  const tunnels = processes.flatMap((found) => found.tunnels.filter(({ endpoints }) => endpoints.some(({ backend }) => backend === 'mesh')))
  return { tunnels }
}

/** The names of all own tunnels, and those that visits accepted. */
export async function allNames(): Promise<Answers['names']> {
  const answers = (await askWhereUsed({ operation: 'names', shape: 'names' })).map(({ answer }) => answer)
  if (answers.length === 0) return answerOf('names', await operateHere('names', {}))
  return { own: answers.flatMap(({ own }) => own), accepted: answers[0]?.accepted ?? [] }
}

/** Who claims a name now. */
export async function showName(wanted: string): Promise<Omit<Answers['name'], 'own'> & { readonly own: readonly Claim[] }> {
  const question = { operation: 'name', shape: 'name', input: { name: wanted } } as const
  const answers = (await askWhereUsed(question)).map(({ answer }) => answer)
  const all = answers.length === 0 ? [await askAnyway(question)] : answers
  const [{ name, accepted } = { name: wanted, accepted: undefined }] = all
  const claimants = [...new Set(all.flatMap((one) => one.claimants))]
  return { name, claimants, own: all.flatMap(({ own }) => own ?? []), ...(accepted === undefined ? {} : { accepted }) }
}

/** @throws UnreachableError (`BEAM_ERR_NOT_FOUND`) when no tunnel of this user claims the name */
export async function releaseDomain(name: string): Promise<void> {
  const answers = await operateWhereUsed({ backend: 'mesh', operation: 'unclaim', input: { name } })
  if (answers.some(({ answer }) => answer['released'] === true)) return
  throw new UnreachableError(`No running tunnel of yours claims ${name}.`, {
    code: 'BEAM_ERR_NOT_FOUND',
    hint: 'What is claimed: beam domain list. To forget whom your visits accepted for it: beam domain release NAME --accepted',
  })
}

/** Who was accepted for names at meeting places. Such a key leads nowhere: it only tells one service from another. */
export async function registeredNames(): Promise<ReadonlyArray<{ readonly name: string; readonly key: string }>> {
  const [pins, { encodeKey }] = await Promise.all([openRegistered(), import('../../core/identity/address.ts')])
  return [...(await pins.list())].map(([name, key]) => ({ name, key: encodeKey('service', key) }))
}

async function openRegistered(): Promise<PinStore> {
  const [{ registeredPins }, { beamPaths }] = await Promise.all([
    import('../../plugins/rendezvous/accepted.ts'),
    import('../../config/paths.ts'),
  ])
  return registeredPins(beamPaths())
}

/**
 * Forgets who was accepted for a name, on the mesh and at meeting places.
 * @throws UnreachableError (`BEAM_ERR_NOT_FOUND`) when nobody was accepted for the name
 */
export async function forgetName(name: string): Promise<void> {
  const answer = await operateHere('forget', { name })
  const wasRegistered = await (await openRegistered()).forget(name)
  if (answer['forgotten'] === true || wasRegistered) return
  throw new UnreachableError(`Nobody was accepted for ${name}.`, {
    code: 'BEAM_ERR_NOT_FOUND',
    hint: 'What was accepted: beam domain list',
  })
}
