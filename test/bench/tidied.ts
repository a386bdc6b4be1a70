/** Does the work and puts things away afterwards: when it is done, when it fails, and when somebody interrupts it, who gets code 130. */
export async function tidied(work: () => Promise<void>, putAway: () => Promise<void>): Promise<void> {
  let done: Promise<void> | undefined
  const once = (): Promise<void> => (done ??= putAway())
  const interrupted = (): void => void once().finally(() => process.exit(130))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, interrupted)
  try {
    await work()
  } finally {
    await once()
    for (const signal of signals) process.off(signal, interrupted)
  }
}
