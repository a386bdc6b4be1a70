import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { NetworkBackend } from '../../../backend.ts'
import { isKeyKeeper } from '../../../powers.ts'
import { isBeamError } from '../../../errors.ts'
import { generateIdentity } from '../../../identity/identity.ts'
import type { Case } from '../case.ts'
import { outcome } from '../outcome.ts'
import { echo } from '../service.ts'
import type { Stage } from '../stage.ts'

/** How long a lookup may take, in milliseconds on loopback. */
const LOOKUP_LIMIT_MS = 10_000

/** Names, and addresses that stay. */
export const domains: readonly Case[] = [
  {
    id: 'domain-resolves',
    async run(stage) {
      await needsDomains(stage, true)
      const domain = newDomain()
      const info = await stage.publish((await stage.service(echo)).port)
      const addresses = info.endpoints.map(({ address }) => address)
      const registration = await (await stage.publisher()).registerDomain(domain, { tunnelId: info.id, signal: stage.signal })
      assert.equal(registration.domain, domain)
      assert.ok(addresses.includes(registration.address), 'the registration points to no address of the tunnel')
      for (const backend of await bothEnds(stage))
        assert.ok(addresses.includes(await resolve(stage, backend, domain)), 'it resolves to another address')
    },
  },
  {
    id: 'domain-option',
    async run(stage) {
      await needsDomains(stage, true)
      const domain = newDomain()
      const { endpoints } = await stage.publish((await stage.service(echo)).port, { domain })
      const addresses = endpoints.map(({ address }) => address)
      for (const backend of await bothEnds(stage))
        assert.ok(addresses.includes(await resolve(stage, backend, domain)), 'it resolves to another address')
    },
  },
  {
    id: 'domain-unknown',
    async run(stage) {
      await needsDomains(stage, true)
      const backend = await stage.publisher()
      const result = await stage.within(
        outcome(() => backend.resolveDomain(newDomain(), { signal: stage.signal })),
        LOOKUP_LIMIT_MS,
        'The lookup',
      )
      assert.ok(
        !result.ok && isBeamError(result.error) && result.error.code === 'BEAM_ERR_NOT_FOUND',
        'it did not reject with BEAM_ERR_NOT_FOUND',
      )
    },
  },
  {
    id: 'domain-unsupported',
    async run(stage) {
      await needsDomains(stage, false)
      const backend = await stage.publisher()
      await stage.publish((await stage.service(echo)).port)
      for (const call of [() => backend.resolveDomain(newDomain(), {}), () => backend.registerDomain(newDomain())]) {
        const result = await outcome<unknown>(call)
        assert.ok(
          !result.ok && isBeamError(result.error) && result.error.kind === 'unsupported',
          'it did not reject with an UnsupportedError',
        )
      }
    },
  },
  {
    id: 'address-persistent',
    limitMs: 20_000,
    async run(stage) {
      if (!(await stage.capabilities()).persistentAddresses)
        stage.skip('addresses do not outlive a restart, by the backend’s own statement')
      const { port } = await stage.service(echo)
      const identity = generateIdentity()
      const name = `conformance-${randomBytes(4).toString('hex')}`
      const published = async (): Promise<readonly string[]> => {
        const backend = await stage.fresh()
        await backend.initialize({ signal: stage.signal })
        const { endpoints } = await backend.startTunnel(port, { name, identity, signal: stage.signal })
        await backend[Symbol.asyncDispose]()
        return endpoints.map(({ address }) => address).toSorted()
      }
      assert.deepEqual(await published(), await published(), 'the address changed')
    },
  },
  {
    id: 'keys-move',
    limitMs: 20_000,
    async run(stage) {
      const first = await stage.fresh()
      if (!isKeyKeeper(first)) return stage.skip('the backend keeps no keys of its own')
      const { port } = await stage.service(echo)
      const options = { name: `conformance-${randomBytes(4).toString('hex')}`, identity: generateIdentity(), signal: stage.signal }
      const published = async (backend: NetworkBackend): Promise<readonly string[]> => {
        await backend.initialize({ signal: stage.signal })
        return (await backend.startTunnel(port, options)).endpoints.map(({ address }) => address).toSorted()
      }
      const addresses = await published(first)
      await first[Symbol.asyncDispose]()
      const keys = await first.exportKeys(options.name)
      assert.ok(keys !== undefined, 'a tunnel that was published has no keys to export')
      const second = await stage.fresh(stage.fixture.pair)
      assert.ok(isKeyKeeper(second))
      await second.importKeys(options.name, keys)
      assert.deepEqual(await published(second), addresses, 'the address changed')
    },
  },
]

async function needsDomains(stage: Stage, wanted: boolean): Promise<void> {
  const { supportsDomains } = await stage.capabilities()
  if (supportsDomains !== wanted)
    stage.skip(supportsDomains ? 'the network has domains' : 'the network has no domains, by its own statement')
}

async function bothEnds(stage: Stage): Promise<readonly NetworkBackend[]> {
  const publisher = await stage.publisher()
  return stage.fixture.pair === undefined ? [publisher] : [publisher, await stage.visitor()]
}

function resolve(stage: Stage, backend: NetworkBackend, domain: string): Promise<string> {
  return stage.within(backend.resolveDomain(domain, { signal: stage.signal }), LOOKUP_LIMIT_MS, 'The lookup')
}

/** A domain that nobody else uses. */
function newDomain(): string {
  return `conformance-${randomBytes(6).toString('hex')}.local`
}
