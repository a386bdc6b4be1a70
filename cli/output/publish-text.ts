import type { Endpoint } from '../../core/backend.ts'
import type { PublishEvent, TunnelSnapshot } from '../../core/tunnels/events.ts'
import { formatTarget } from '../input/service-target.ts'
import type { Colours } from './colours.ts'
import { addressField, field } from './layout.ts'
import { noteText } from './note.ts'
import { ProgressNews, progressText } from './progress-news.ts'

/** How the events of published tunnels are shown. */
export interface PublishTextOptions {
  readonly paint: Colours
  readonly columns: number
  /** Columns for warnings and errors, which may go elsewhere. */
  readonly noteColumns: number
  /** What the visitor's command needs besides the address. */
  readonly connectFlags: (tunnel: TunnelSnapshot) => readonly string[]
  /** The address, warnings and errors only. */
  readonly quiet: boolean
  /** Milliseconds on a clock that only goes forwards. Default: that of the process. */
  readonly now?: () => number
}

/** An address is told before the tunnel is ready when that takes longer than this, in milliseconds: what is ready at once says it anyway. */
const ADDRESS_AFTER_MS = 1_000

/** The events of published tunnels as lines for people: appended, never overwritten. */
export class PublishText {
  readonly #options: PublishTextOptions
  readonly #progress = new ProgressNews()
  /** Addresses of tunnels that are not ready, until they are told, and since when they are known. */
  readonly #addresses: { readonly tunnel: string; readonly address: string; readonly since: number }[] = []
  readonly #tunnels = new Map<string, TunnelSnapshot>()
  /** The addresses of each tunnel that can be used now, and all that were told. */
  readonly #usable = new Map<string, Set<string>>()
  readonly #told = new Set<string>()

  constructor(options: PublishTextOptions) {
    this.#options = options
  }

  /** The text of one event; empty when it is not worth a line. */
  text(event: PublishEvent): string {
    const { paint, quiet, noteColumns } = this.#options
    switch (event.event) {
      case 'ready':
        this.#tunnels.set(event.tunnel.id, event.tunnel)
        this.#usable.set(
          event.tunnel.id,
          new Set(event.tunnel.endpoints.flatMap(({ address, state }) => (state === 'down' ? [] : [address]))),
        )
        for (const { address } of event.tunnel.endpoints) this.#told.add(address)
        this.#addresses.splice(0, this.#addresses.length, ...this.#addresses.filter(({ tunnel }) => tunnel !== event.tunnel.id))
        return quiet ? event.tunnel.endpoints.map(({ address }) => `${address}\n`).join('') : this.#ready(event.tunnel)
      case 'progress':
        if (quiet || !this.#progress.isNews(`${event.tunnel} ${event.backend}`, event)) return ''
        return `${paint.dim(progressText(event.backend, event))}\n`
      case 'address':
        if (!this.#tunnels.has(event.tunnel)) this.#addresses.push({ tunnel: event.tunnel, address: event.address, since: this.#now() })
        return ''
      case 'up':
        return (
          this.#line(
            event.tunnel,
            paint.green('up'),
            event.what === 'service' ? this.#service(event.tunnel) : (event.backend ?? ''),
            event.reason,
          ) + this.#newAddress(event)
        )
      case 'down':
        if (event.address !== undefined) this.#usable.get(event.tunnel)?.delete(event.address)
        return this.#line(
          event.tunnel,
          paint.yellow('down'),
          event.what === 'service' ? this.#service(event.tunnel) : (event.backend ?? ''),
          event.reason,
        )
      case 'failover':
        return this.#line(event.tunnel, paint.yellow('moved'), `${event.from} → ${event.to}`, event.reason)
      case 'warning':
        // What is shown when the tunnel is ready says it too.
        if (event.code === 'BEAM_WARN_SERVICE_DOWN' && !quiet) return ''
        return noteText({ kind: 'Warning', ...event }, noteColumns, paint)
      case 'error':
        return noteText({ kind: 'Error', ...event }, noteColumns, paint)
      case 'stopped':
        return quiet ? '' : `${paint.dim(`${this.#service(event.tunnel)} is no longer published: ${event.reason}`)}\n`
    }
  }

  /** The addresses of tunnels that take long to be ready, once each: they can be passed on already. */
  earlyAddresses(): string {
    const { quiet, paint } = this.#options
    const due = quiet ? [] : this.#addresses.filter(({ since }) => this.#now() - since >= ADDRESS_AFTER_MS)
    for (const one of due) this.#addresses.splice(this.#addresses.indexOf(one), 1)
    return due.map(({ address }) => `  The address, not reachable yet:\n${paint.bold(paint.cyan(address))}\n`).join('')
  }

  #now(): number {
    return (this.#options.now ?? performance.now.bind(performance))()
  }

  /** An address that came after the tunnel was ready: nobody knows it yet. */
  #newAddress({ tunnel, address }: Extract<PublishEvent, { event: 'up' }>): string {
    const { quiet, paint } = this.#options
    const known = this.#tunnels.get(tunnel)
    if (address === undefined || known === undefined) return ''
    this.#usable.get(tunnel)?.add(address)
    if (this.#told.has(address)) return ''
    this.#told.add(address)
    return quiet ? `${address}\n` : `${paint.bold(paint.cyan(address))}\n${this.#together(known)}`
  }

  /** How a visitor uses several networks at a time. */
  #together(tunnel: TunnelSnapshot): string {
    const addresses = [...(this.#usable.get(tunnel.id) ?? [])]
    if (addresses.length < 2) return ''
    const command = ['npx beam connect', ...addresses, ...this.#options.connectFlags(tunnel)].join(' ')
    return `\n  Reach it over all of them with this command:\n\n${this.#options.paint.bold(command)}\n\n`
  }

  #service(tunnel: string): string {
    const known = this.#tunnels.get(tunnel)
    return known === undefined ? 'the service' : formatTarget(known)
  }

  #line(tunnel: string, state: string, what: string, reason: string): string {
    if (this.#options.quiet) return ''
    const name = this.#tunnels.size > 1 ? `${this.#service(tunnel)}  ` : ''
    return `  ${name}${state}  ${what}${reason === '' ? '' : `: ${reason}`}\n`
  }

  #ready(tunnel: TunnelSnapshot): string {
    const { paint, columns } = this.#options
    const up = tunnel.service === 'up'
    const name = tunnel.name === undefined ? '' : ` as “${tunnel.name}”`
    const target = formatTarget(tunnel)
    const service = up ? 'up' : `waiting: nothing listens on ${target} yet. Visitors get through as soon as it does.`
    return [
      `\n${up ? paint.green('●') : paint.yellow('○')} ${paint.bold(target)} is published${name}\n\n`,
      ...tunnel.endpoints.map((endpoint) => this.#endpoint(endpoint, tunnel)),
      this.#together(tunnel),
      field('Access', tunnel.access, columns),
      field('Service', service, columns, up ? paint.green : paint.yellow),
      '\n',
    ].join('')
  }

  #endpoint({ backend, address, state, direct = [], reveals }: Endpoint, tunnel: TunnelSnapshot): string {
    const { paint, columns, connectFlags } = this.#options
    const several = tunnel.endpoints.length > 1
    const stateText = { active: 'reachable', announcing: 'listening, not announced yet', down: 'down, being retried' }[state]
    const paintState = state === 'active' ? paint.green : paint.yellow
    return [
      addressField('Address', address, columns, (line) => paint.bold(paint.cyan(line))),
      field('Path', `${backend}, ${stateText}`, columns, paintState),
      ...reveals.map((sentence, index) => field(index === 0 ? 'Reveals' : '', sentence, columns)),
      `\n  ${several ? `Reach it over ${backend}` : 'Reach it from another machine'} with this command:\n\n`,
      // Without indent, so that it fits a line of 80 columns and can be copied as it is.
      `${paint.bold(['npx beam connect', address, ...connectFlags(tunnel)].join(' '))}\n\n`,
      ...(direct.length === 0
        ? []
        : ['  Where that finds nothing, these name the place to dial:\n\n', ...direct.map((form) => `${form}\n`), '\n']),
    ].join('')
  }
}
