const FORM = /^tin-can:\/\/127\.0\.0\.1:([1-9][0-9]{0,4})$/

/** The address of a port: `tin-can://127.0.0.1:40123`. */
export function formatAddress(port: number): string {
  return `tin-can://127.0.0.1:${port}`
}

/** The port of an address; undefined when the text is no address of this network. */
export function parseAddress(address: string): number | undefined {
  const port = Number(FORM.exec(address)?.[1] ?? 0)
  return port >= 1 && port <= 65_535 ? port : undefined
}
