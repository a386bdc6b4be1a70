/**
 * The backends that a command publishes on: those that were named, else the enabled ones of the configuration that counts for it.
 * @throws InvalidConfigError
 */
export async function usedBackends(named: readonly string[]): Promise<readonly string[]> {
  if (named.length > 0) return named
  const [{ loadConfig }, { configOptions }] = await Promise.all([import('../../config/index.ts'), import('./config-options.ts')])
  const { config } = await loadConfig(await configOptions({ verbose: false }))
  return config.backends.filter(({ enabled }) => enabled).map(({ name }) => name)
}

/** The backends that dial addresses: those that were named, else those of their networks. Undefined where the form of an address tells none. */
export async function diallingBackends(
  addresses: readonly string[],
  named: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  if (named !== undefined) return named
  const { networkOf } = await import('../../plugins/known-addresses.ts')
  const backends = addresses.map((address) => networkOf(address))
  return backends.every((backend) => backend !== undefined) ? backends : undefined
}
