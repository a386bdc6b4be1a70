import { boolean } from '@oclif/core/flags'
import type { NetworkFlags } from './group.ts'

/** Flags of the mesh. */
export const meshFlags: NetworkFlags = {
  backends: ['mesh'],
  publish: {
    lan: boolean({ description: 'Announce the domain on the local network, for browsers there.', helpGroup: 'SERVICE' }),
  },
  publishOptions: () => ({ lan: true }),
}
