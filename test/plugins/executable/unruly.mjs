// A backend executable that keeps the rules except for the one that its first argument names. Used by executable-backend.test.ts.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

const [, , mode = 'none', notes] = process.argv
const note = (text) => notes && appendFileSync(notes, `${text}\n`)
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const tunnels = new Map()
const domains = new Map()
let pinged = 0

note(`started ${process.pid}`)
process.on('SIGTERM', () => {
  if (mode === 'ignores-sigterm') return note('sigterm')
  process.exit(0)
})

function join(a, b) {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ]) {
    // One that broke before there was anything to join it to says nothing any more.
    if (from.destroyed) reset(to)
    from.on('close', () => {
      if (!from.readableEnded || !from.writableFinished) reset(to)
    })
    from.on('error', () => {})
    from.pipe(to, { end: false })
    // A reset that follows bytes of a paused socket looks like an end until something is written (core/streams/join.ts).
    from.on('end', () => (from.writable ? from.write('', (error) => error || to.end()) : to.end()))
  }
}

/** Node leaks a socket that is reset while its end is on its way (core/streams/reset.ts). */
function reset(socket) {
  if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}

function refuse(kind, code, message) {
  return Object.assign(new Error(message), { data: { kind, code, hint: 'a hint' } })
}

function open(address) {
  const port = Number(/^unruly:\/\/(\d+)$/.exec(address)?.[1] ?? 0)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    socket.once('error', () => reject(refuse('unreachable', 'BEAM_ERR_NOT_FOUND', 'nobody is there')))
    socket.once('connect', () => resolve(socket))
  })
}

const capabilities = {
  supportsDomains: true,
  supportsIPv6: false,
  maxThroughput: mode === 'changes-capabilities' && process.env.UNRULY_OTHER ? 1 : null,
  anonymityLevel: 'none',
  censorshipResistance: 'none',
  delivery: 'stream',
  exposesPublisherIp: true,
  exposesVisitorIp: mode === 'tells-visitor',
  persistentAddresses: false,
  accessControl: mode === 'tells-visitor',
}

const methods = {
  initialize: ({ protocolVersions }) => {
    if (mode === 'hangs-at-start') return new Promise(() => {})
    if (mode === 'other-version') return { protocolVersion: protocolVersions[0] + 41 }
    return { protocolVersion: protocolVersions[0], version: '0.0.1' }
  },
  network_type: () => ({
    networkType: 'unruly',
    addresses: { prefixes: ['unruly://'], suffixes: ['.unruly'] },
    dialReveals: ['Everything.'],
  }),
  capabilities: () => capabilities,
  create_tunnel: async ({ id, streams, network, access }) => {
    if (mode === 'refuses-second-start' && process.env.UNRULY_NEVER) throw refuse('config', 'X_BAD', 'never')
    if (network?.hang) return new Promise(() => {})
    if (network?.refuse) throw refuse(network.refuse, 'X_REFUSED', 'refused on purpose')
    if (network?.error) throw Object.assign(new Error('plain'), { data: undefined })
    const server = createServer({ allowHalfOpen: true }, (visitor) => {
      const beam = connect({ port: streams.port, host: streams.host, allowHalfOpen: true })
      const told = mode === 'tells-visitor' || mode === 'none' ? ` ${JSON.stringify({ key: 'k', remoteAddress: '192.0.2.9' })}` : ''
      beam.write(`${mode === 'wrong-token' ? 'x'.repeat(43) : streams.token}${told}\n`)
      join(visitor, beam)
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    tunnels.set(id, server)
    const address = `unruly://${server.address().port}`
    note(`tunnel ${id} ${JSON.stringify(access ?? null)}`)
    send({ method: 'progress', params: { tunnel: id, phase: 'half', percent: 50, message: 'half way' } })
    send({ method: 'warning', params: { tunnel: id, code: 'X_WARNING', message: 'careful' } })
    send({ method: 'log', params: { level: 'info', message: 'a log line', fields: { n: 1 } } })
    send({ method: 'unheard_of', params: {} })
    if (mode === 'weather')
      setTimeout(() => send({ method: 'state', params: { tunnel: id, address, state: 'down', reason: 'weather' } }), 20)
    if (mode === 'other-id') return { id: 'another', endpoints: [{ address, state: 'active', reveals: [] }] }
    return { id, endpoints: [{ address, state: 'active', reveals: ['Everything.'] }] }
  },
  destroy_tunnel: ({ id }) => {
    note(`destroyed ${id}`)
    tunnels.get(id)?.close()
    tunnels.delete(id)
    return {}
  },
  status: () => {
    if (mode === 'hangs-later' && pinged++ > 0) return new Promise(() => {})
    return { state: 'running', message: 'fine' }
  },
  network_stats: () => ({ peers: 3, latencyMs: 1.5 }),
  resolve_domain: ({ domain }) => {
    if (!domains.has(domain)) throw refuse('unreachable', 'BEAM_ERR_NOT_FOUND', 'nobody claims it')
    return { address: domains.get(domain) }
  },
  register_domain: ({ domain, tunnel }) => {
    const address = `unruly://${tunnels.get(tunnel).address().port}`
    domains.set(domain, address)
    return { domain, address, exclusive: false, expiresAt: 4102444800000 }
  },
  reach: async ({ address }) => {
    const far = await open(address)
    far.resetAndDestroy()
    return { kind: 'direct', hops: 0 }
  },
  dial: async ({ address, secret, isolation }) => {
    note(`dial ${JSON.stringify({ secret, isolation })}`)
    if (address === 'unruly://slow') return new Promise(() => {})
    if (mode === 'dies-on-dial') process.exit(3)
    if (mode === 'hands-over-nothing') return { socket: { port: 1 }, token: 'x'.repeat(20) }
    if (mode === 'hands-over-elsewhere') return { socket: { host: '192.0.2.1', port: 80 }, token: 'x'.repeat(20) }
    const far = await open(address)
    const token = randomBytes(24).toString('base64url')
    const server = createServer({ allowHalfOpen: true }, (near) => {
      server.close()
      near.on('error', () => reset(far))
      near.once('readable', () => {
        const line = near.read(token.length + 1)
        if (line?.toString() !== `${token}\n`) {
          reset(far)
          return reset(near)
        }
        join(near, far)
      })
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { socket: { host: '127.0.0.1', port: server.address().port }, token }
  },
  shutdown: () => {
    note('shutdown')
    return {}
  },
}

const lines = createInterface({ input: process.stdin })
lines.on('line', async (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return note(`${method} ${JSON.stringify(params)}`)
  if (method === undefined) return note(`answer ${line}`)
  try {
    send({ id, result: await methods[method](params) })
  } catch (error) {
    send({ id, error: { code: -32000, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) } })
  }
  if (method === 'capabilities') misbehave()
  if (method === 'status') breakRules()
})
lines.on('close', () => {
  note('end of input')
  if (mode !== 'ignores-end' && mode !== 'ignores-sigterm') process.exit(0)
})

/** When its state is asked for: what came right behind the introduction could be read together with that, and make it fail. */
function breakRules() {
  switch (mode) {
    case 'writes-text':
      return console.log('Listening on port 80!')
    case 'answers-unasked':
      return send({ id: 4711, result: {} })
    case 'wrong-notification':
      return send({ method: 'progress', params: { percent: 'many' } })
    case 'endless-line':
      return process.stdout.write('x'.repeat(2_000_000))
    case 'floods': {
      const line = `${JSON.stringify({ jsonrpc: '2.0', method: 'log', params: { level: 'debug', message: 'x' } })}\n`.repeat(500)
      const more = () => process.stdout.write(line, more)
      return more()
    }
    default:
      return undefined
  }
}

/** Once the introduction is over. */
function misbehave() {
  switch (mode) {
    case 'floods-stderr': {
      const more = () => process.stderr.write('noise\n'.repeat(1_000), more)
      return more()
    }
    case 'asks-beam':
      return send({ id: 'q1', method: 'give_me_keys', params: {} })
    case 'has-child': {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
      return note(`child ${child.pid}`)
    }
    case 'ignores-end':
    case 'ignores-sigterm':
      return setInterval(() => {}, 1_000)
    default:
      return undefined
  }
}
