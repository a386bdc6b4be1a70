/** Why a text is no bootstrap node of the DHT (`host:port`); undefined when it is one. */
export function bootstrapProblem(node: string): string | undefined {
  if (/^\[.*\]|:.*:/.test(node)) return 'is an IPv6 address; the DHT speaks IPv4 only'
  const match = /^(?:\d{1,3}(?:\.\d{1,3}){3}@)?[a-z0-9](?:[a-z0-9._-]{0,252}):(\d{1,5})$/i.exec(node)
  if (match === null) return 'is not host:port'
  if (/\.(?:onion|anon|i2p)\.?:/i.test(node)) return 'is in a network that the DHT does not run through'
  const port = Number(match[1])
  return port >= 1 && port <= 65535 ? undefined : 'has a port that is not between 1 and 65535'
}

/** Whether all nodes of a list are on this machine. */
export function isLoopbackList(bootstrap: 'public' | 'none' | readonly string[]): boolean {
  return Array.isArray(bootstrap) && bootstrap.length > 0 && bootstrap.every((node) => /^(?:127(?:\.\d{1,3}){3}|localhost):/i.test(node))
}
