import type { Clock } from '../../clock.ts'
import type { Identity } from '../../identity/identity.ts'
import { encodeRecord, fitRecord } from '../../records/codec.ts'
import { newRecord, tombstoneOf, type ServiceRecord } from '../../records/record.ts'
import type { MeetingPlace } from './meeting-place.ts'
import { Registration, type RegistrationParts, type SignedRecord } from './registration.ts'
import type { VisitPlace } from './visit-place.ts'

/** A few round trips through circuits that stand already; all of a process's end has to fit into five seconds. */
const WITHDRAW_MS = 2_500
/** Signed anew with every registration, so that three may fail in a row; whoever is killed without a word is forgotten soon. */
const TTL_SECONDS = 1_800

/** What is registered where. */
export interface ServiceRegistrationParts<Place extends MeetingPlace> {
  /** Signs the record, and stands for the service at meeting places only. */
  readonly identity: Identity
  /** The name under which it is found, in the spelling of `normaliseName`. */
  readonly name: string
  readonly places: readonly Place[]
  readonly visit: VisitPlace<Place>
  readonly clock: Clock
  readonly onState: RegistrationParts<Place>['onState']
}

/**
 * A service at meeting places behind networks: registered once it has an address, again every ten minutes with a record that is signed anew,
 * and taken back at the end.
 */
export class ServiceRegistration<Place extends MeetingPlace> {
  readonly #parts: ServiceRegistrationParts<Place>
  #registration: Registration<Place> | undefined
  #endpoints: readonly string[] = []
  #record: ServiceRecord | undefined
  /** The highest sequence number that was used or told. */
  #sequence = 0
  #stopped = false

  constructor(parts: ServiceRegistrationParts<Place>) {
    this.#parts = parts
  }

  /** The addresses that can be used now, the best first. None: what is registered stays, since addresses mostly come back. */
  update(endpoints: readonly string[]): void {
    if (this.#stopped || endpoints.length === 0) return
    const same = endpoints.join('\n') === this.#endpoints.join('\n')
    this.#endpoints = endpoints
    if (this.#registration === undefined) this.#registration = this.#begin()
    else if (!same || this.#registration.state === 'failed') this.#registration.wake()
  }

  /** Takes it back; within a few seconds, and never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#registration?.stop()
  }

  #begin(): Registration<Place> {
    const { identity, places, visit, clock, onState } = this.#parts
    const registration = new Registration<Place>({
      serviceKey: identity.publicKey,
      current: () => this.#sign(),
      withdrawal: () => this.#withdrawal(),
      withdrawMs: WITHDRAW_MS,
      onSuperseded: (sequence) => {
        this.#sequence = Math.max(this.#sequence, sequence)
        registration.wake()
      },
      places: async () => places,
      ask: (place, topic, body, signal) => visit(place, (ask) => ask(topic, body), { signal }),
      clock,
      onState,
    })
    return registration
  }

  #sign(): SignedRecord {
    const { identity, name, clock } = this.#parts
    const fields = { serviceKey: identity.publicKey, name, endpoints: this.#endpoints, ttlSeconds: TTL_SECONDS }
    this.#record = fitRecord(newRecord(fields, { now: clock.now(), previous: this.#sequence }))
    this.#sequence = this.#record.sequence
    return { record: encodeRecord(this.#record, identity), sequence: this.#sequence }
  }

  #withdrawal(): Pick<SignedRecord, 'record'> {
    const { identity, clock } = this.#parts
    const gone = tombstoneOf({ ...(this.#record as ServiceRecord), sequence: this.#sequence }, { now: clock.now() })
    return { record: encodeRecord(gone, identity) }
  }
}
