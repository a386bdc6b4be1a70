/** Figures as people read them. What was not measured has no text: callers leave it out. */

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** `0 B`, `1.2 GB`: in powers of 1000. */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** `0.4 ms`, `45 ms`, `1.2 s`. */
export function msText(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

/** `40 s`, `12 min`, `5.5 h`, `24 h`, `7 d`. */
export function timeText(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`
  const [value, unit] = seconds < 172_800 ? [seconds / 3_600, 'h'] : [seconds / 86_400, 'd']
  return `${value.toFixed(1).replace(/\.0$/, '')} ${unit}`
}

/** `98.7 %`. */
export function percentText(share: number): string {
  return `${(Math.min(1, Math.max(0, share)) * 100).toFixed(1)} %`
}

/** The beginning of a node key: enough to tell peers apart. */
export function shortId(id: string): string {
  return id.slice(0, 10)
}

/** `1 peer`, `2 peers`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Process and role of who answered. */
export function ownerText({ pid, role }: { readonly pid: number; readonly role: string }): string {
  return role === 'daemon' ? `the daemon (process ${pid})` : `process ${pid}`
}
