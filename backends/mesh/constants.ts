/** Sooner than the next: a contact is dialled beside the one before it when that has not answered by then (RFC 8305 section 5 has 250 ms). */
export const DIAL_STAGGER_MS = 150
/** A hole-punched stream costs both ends more than a direct one, which gets this head start. */
export const PUNCH_DELAY_MS = 400
/** A relay is used when nothing direct has answered by then: it costs others something, but nobody waits for a network that drops packets. */
export const RELAY_DELAY_MS = 200
/** The same when somebody waits already, because a direct way has just fallen silent. */
export const URGENT_RELAY_DELAY_MS = 100
/** When a way without the relay is looked for after a relayed link is up; the last one again and again. Networks change, so it never stops. */
export const UPGRADE_AFTER_MS: readonly number[] = [100, 5_000, 30_000, 300_000]
/** Contacts of one service that are tried in one attempt: what somebody claims of themselves must not make us dial a crowd. */
export const MAX_CONTACTS = 24
/** Looking a service up and dialling it, altogether. */
export const REACH_TIMEOUT_MS = 30_000
/** How long a name's claimants are collected: more of them may be about when the first is found. */
export const CLAIM_WINDOW_MS = 1_500
export const CLAIM_TIMEOUT_MS = 10_000
/** Claimants that are looked at: a name can be flooded with claims. */
export const MAX_CLAIMANTS = 20
/** Links that are kept to publishers; the longest idle one is dropped for a new one. */
export const MAX_PUBLISHER_LINKS = 128
/** How often the machine's addresses are looked at: a moved laptop is to be found again soon. */
export const ADDRESS_POLL_MS = 10_000
/** Records are renewed when this part of their life is over. */
export const RENEW_AFTER = 0.5
/** Longest wait for the first source to hold an announcement: writing a file takes milliseconds, and a slow disk must not hold up a tunnel. */
export const ANNOUNCE_WAIT_MS = 1_000
/** Addresses of this machine that are shown to people. */
export const MAX_DIRECT_ADDRESSES = 4
/** Addresses of this machine that a record lists before those of other networks: one IPv4 and one IPv6 on two interfaces. */
export const OWN_BEFORE_OTHERS = 4
