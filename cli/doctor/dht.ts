import type { Check, Finding } from './finding.ts'

/** Joining takes a second or two where it works; a network that drops packets shows by then. */
const DEADLINE_MS = 10_000

/** What the settings say about the DHT. */
export type DhtSetting =
  | { readonly use: 'none' }
  | { readonly use: 'public' }
  | { readonly use: 'own'; readonly nodes: readonly string[] }
  | { readonly use: 'wrong'; readonly node: string }

/** Reads `BEAM_P2P_BOOTSTRAP`: absent = the public nodes, `none` = no DHT. */
export function dhtSetting(value: string | undefined): DhtSetting {
  if (value === undefined) return { use: 'public' }
  if (value.trim().toLowerCase() === 'none') return { use: 'none' }
  const nodes = value.split(',').map((node) => node.trim())
  const wrong = nodes.find((node) => !/^[a-z0-9@._-]+:\d{1,5}$/i.test(node))
  return wrong === undefined ? { use: 'own', nodes } : { use: 'wrong', node: wrong }
}

/** Whether the DHT answers. Without `consent` the public nodes are not contacted. */
export function dhtCheck(setting: DhtSetting, consent: boolean): Check {
  return {
    group: 'network',
    id: 'dht',
    title: 'DHT',
    deadlineMs: DEADLINE_MS + 1_000,
    run: (signal) => dhtState(setting, consent, signal),
  }
}

async function dhtState(setting: DhtSetting, consent: boolean, signal: AbortSignal): Promise<Pick<Finding, 'state' | 'detail' | 'advice'>> {
  if (setting.use === 'none') return { state: 'off', detail: 'switched off by BEAM_P2P_BOOTSTRAP' }
  if (setting.use === 'wrong') {
    return {
      state: 'broken',
      detail: `BEAM_P2P_BOOTSTRAP: “${setting.node}” is not host:port`,
      advice: 'Give host:port, several separated by commas, or none.',
    }
  }
  if (setting.use === 'public' && !consent)
    return { state: 'off', detail: 'not asked: the public nodes were not to be contacted', advice: 'To try it: beam doctor --dht' }
  const { default: DHT } = await import('hyperdht')
  const whose = setting.use === 'public' ? 'the public nodes' : setting.nodes.join(', ')
  const bootstrap = setting.use === 'public' ? DHT.BOOTSTRAP : setting.nodes
  // A DHT on this machine is asked from the loopback address only.
  const local = bootstrap.every((node) => /^(127\.|localhost:)/i.test(node))
  const dht = new DHT({ bootstrap, host: local ? '127.0.0.1' : '0.0.0.0', port: [0, 0], ephemeral: true })
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  const expired = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }))
  try {
    await Promise.race([dht.fullyBootstrapped(), expired])
    const known = dht.nodes.length
    if (known > 0) return { state: 'ok', detail: `${known} ${known === 1 ? 'node answers' : 'nodes answer'} through ${whose}` }
    return {
      state: 'limited',
      detail: `no answer from ${whose}`,
      advice: 'UDP may be blocked. Beam still works on this machine, on the local network and with beam://…@host:port.',
    }
  } finally {
    await dht.destroy({ force: true })
  }
}
