import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkServiceName, ConfigError, readPrivateFile, writePrivateFile } from '../../../../core/index.ts'
import { parseClientPublicKey } from './client-key.ts'

/** Clients of one service: a descriptor holds 16 to 350 or so before it is too large for the directories (rend-spec-v3 section 2.5.1.2). */
export const MAX_CLIENTS = 256
/** Room for that many names and keys. */
const MAX_FILE_BYTES = 64 * 1024
const ENDING = '.json'

/** A visitor who may come in. */
export interface AuthorizedClient {
  readonly client: string
  /** x25519, base32. */
  readonly publicKey: string
}

/** Who may visit a named service. Absent = everybody who has the address; without clients = nobody. */
export interface ClientList {
  readonly service: string
  readonly protected: boolean
  readonly clients: readonly AuthorizedClient[]
}

/**
 * Who may visit the named services of this network: `<folder>/clients/<name>.json`, mode 0600. A service that is protected stays so when
 * its last client is removed: otherwise that would open it to everybody.
 */
export class AuthorizedClients {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = join(folder, 'clients')
  }

  /** @throws ConfigError (`BEAM_ERR_NAME_INVALID`, `BEAM_ERR_KEY_STORAGE`) */
  async read(service: string): Promise<ClientList> {
    const path = this.#path(service)
    const content = await readPrivateFile(path, { maxBytes: MAX_FILE_BYTES })
    if (content === undefined) return { service, protected: false, clients: [] }
    const clients = parse(content.toString('utf8'))
    if (clients !== undefined) return { service, protected: true, clients }
    throw new ConfigError(`${path} is damaged.`, {
      code: 'BEAM_ERR_KEY_STORAGE',
      hint: 'Restore it from a backup, or remove it and authorise the visitors again. While it is there and damaged, the service does not start.',
    })
  }

  /** Every service with a list. */
  async list(): Promise<readonly ClientList[]> {
    const files = await readdir(this.#folder).catch(() => [] as string[])
    const names = files.filter((file) => file.endsWith(ENDING) && !file.startsWith('.')).map((file) => file.slice(0, -ENDING.length))
    return Promise.all(names.toSorted().map((name) => this.read(name)))
  }

  /** Lets a visitor in, in place of one of the same name. */
  async add(service: string, client: unknown, publicKey: unknown): Promise<ClientList> {
    const name = clientName(client)
    const key = parseClientPublicKey(publicKey)
    const { clients } = await this.read(service)
    const rest = clients.filter((one) => one.client !== name)
    const double = rest.find((one) => one.publicKey === key)
    if (double !== undefined) throw new ConfigError(`This key belongs to "${double.client}" already.`)
    if (rest.length >= MAX_CLIENTS) throw new ConfigError(`A service can have ${MAX_CLIENTS} authorised visitors at most.`)
    return this.#write(service, [...rest, { client: name, publicKey: key }])
  }

  /** Takes a visitor's permission away. @throws ConfigError when nobody of that name has it */
  async remove(service: string, client: unknown): Promise<ClientList> {
    const name = clientName(client)
    const { clients } = await this.read(service)
    if (!clients.some((one) => one.client === name)) {
      throw new ConfigError(`The service "${service}" has no authorised visitor "${name}".`, {
        hint: clients.length === 0 ? 'It has none.' : `It has: ${clients.map((one) => one.client).join(', ')}.`,
      })
    }
    return this.#write(
      service,
      clients.filter((one) => one.client !== name),
    )
  }

  /** Opens the service to everybody who has the address. */
  async open(service: string): Promise<ClientList> {
    await rm(this.#path(service), { force: true })
    return { service, protected: false, clients: [] }
  }

  async #write(service: string, clients: readonly AuthorizedClient[]): Promise<ClientList> {
    const sorted = clients.toSorted((a, b) => (a.client < b.client ? -1 : 1))
    await writePrivateFile(this.#path(service), `${JSON.stringify({ clients: sorted }, null, 2)}\n`, { replace: true })
    return { service, protected: true, clients: sorted }
  }

  #path(service: string): string {
    checkServiceName(service)
    return join(this.#folder, `${service}${ENDING}`)
  }
}

/** Names of visitors follow the rule of tunnel names: they are shown in tables. */
function clientName(client: unknown): string {
  if (typeof client === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(client)) return client
  throw new ConfigError('The visitor’s name cannot be used.', {
    hint: 'It has 1 to 63 letters, digits, dots, hyphens and underscores, and begins with a letter or digit.',
  })
}

function parse(text: string): readonly AuthorizedClient[] | undefined {
  try {
    const { clients } = JSON.parse(text) as { clients?: unknown }
    if (!Array.isArray(clients) || clients.length > MAX_CLIENTS) return undefined
    return (clients as Array<Partial<AuthorizedClient>>).map(({ client, publicKey }) => ({
      client: clientName(client),
      publicKey: parseClientPublicKey(publicKey),
    }))
  } catch {
    return undefined
  }
}
