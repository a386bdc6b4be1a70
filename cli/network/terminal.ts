import { colours, type Colours } from '../output/colours.ts'
import { columnsOf } from '../output/layout.ts'

/** How standard output is to be written on. */
export function outputLook(): { readonly columns: number; readonly paint: Colours } {
  return { columns: columnsOf(process.stdout), paint: colours(process.stdout) }
}
