import type { NetworkInterfaceInfo } from 'node:os'
import { BackendUnavailableError } from '../../../core/index.ts'
import { isServiceAddress, prefixText, type Prefix } from '../mesh-address.ts'

/** An address of this machine in the mesh. */
export interface MeshAddress {
  readonly address: string
  readonly interface: string
}

/** This machine's addresses in the mesh, those on the loopback interface first: that is where services usually have theirs. */
export function meshAddresses(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>, range: Prefix): MeshAddress[] {
  const all = Object.entries(interfaces).flatMap(([name, list = []]) =>
    list.map(({ address, internal }) => ({ address, interface: name, internal })),
  )
  return all
    .filter(({ address }) => isServiceAddress(address, range))
    .toSorted((a, b) => Number(b.internal) - Number(a.internal))
    .map(({ address, interface: name }) => ({ address, interface: name }))
}

/**
 * The address at which services are to be published.
 * @throws BackendUnavailableError when the wanted one is not this machine's, when there is none, or several
 */
export function chooseAddress(found: readonly MeshAddress[], wanted: string | undefined, range: Prefix): string {
  if (wanted !== undefined) {
    if (found.some(({ address }) => address === wanted)) return wanted
    throw new BackendUnavailableError(`${wanted} is no address of this machine.`, {
      hint: `Give it to the machine: sudo ip address add ${wanted}/32 dev lo`,
    })
  }
  const [first] = found
  if (first === undefined) {
    throw new BackendUnavailableError(`This machine has no address in the mesh (${prefixText(range)}).`, {
      hint: 'Give it one out of your prefix: sudo ip address add 21.x.y.1/32 dev lo. Or let Beam keep a mesh of its own: beam anonet invite.',
    })
  }
  if (found.length > 1) {
    throw new BackendUnavailableError(
      `This machine has several addresses in the mesh: ${found.map(({ address }) => address).join(', ')}.`,
      {
        hint: 'Say which one is for services: `address` in the configuration of anonet.',
      },
    )
  }
  return first.address
}
