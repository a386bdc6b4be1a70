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

/** The backend that dials an address: the one that was named, else that of its network. Undefined where the form of the address tells none. */
export async function diallingBackends(address: string, named: string | undefined): Promise<readonly string[] | undefined> {
  const { networkOf } = await import('../../plugins/known-addresses.ts')
  const backend = named ?? networkOf(address)
  return backend === undefined ? undefined : [backend]
}
