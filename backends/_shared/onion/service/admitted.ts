/** Who may visit a service: the keys of its visitors, or everybody. */
export type Admitted = readonly string[] | 'everybody'

/** Whether somebody who could come in before may do so no more. Pure. */
export function shutsOut(before: Admitted, now: Admitted): boolean {
  if (now === 'everybody') return false
  return before === 'everybody' || before.some((key) => !now.includes(key))
}
