/** Who may visit a tunnel: destinations as `….b32.i2p`. */
export interface AccessList {
  /** Empty: everybody. */
  readonly allow: ReadonlySet<string>
  readonly deny: ReadonlySet<string>
}

/** Whether a visitor gets in. Who stands on both lists does not. */
export function admits({ allow, deny }: AccessList, b32: string): boolean {
  return !deny.has(b32) && (allow.size === 0 || allow.has(b32))
}
