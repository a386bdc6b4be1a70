/**
 * How many UDP sockets this process has open, those of native add-ons included (process.getActiveResourcesInfo does not see them).
 */
export function udpHandles(): number {
  // Without it the report resolves the names of all addresses.
  Object.assign(process.report, { excludeNetwork: true })
  const { libuv } = process.report.getReport() as unknown as { libuv: { type: string; is_active: boolean }[] }
  return libuv.filter(({ type, is_active: active }) => type === 'udp' && active).length
}
