import type { OperationData } from '../daemon/protocol.ts'
import type { Colours } from './colours.ts'
import { labelled, table } from './table.ts'

/** What the commands of anonet print for people. Keys of links are not among it. */

type Row = Readonly<Record<string, unknown>>

const rows = (value: unknown): readonly Row[] => (Array.isArray(value) ? (value as readonly Row[]) : [])
const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

/** What to do with a letter, and what is to be known of it. */
export function letterText(kind: 'invite' | 'answer', answer: OperationData): string {
  const next =
    kind === 'invite'
      ? 'Send this line to your friend, who runs: beam anonet accept LINE. Then accept the answer.'
      : 'Send this line back to your friend, who runs: beam anonet accept LINE.'
  const reach = {
    nowhere: 'It names no address of yours, so your friend has to be reachable: give --endpoint, or let your friend do so.',
    local: 'It names addresses of a local network only. For friends elsewhere give the public one: --endpoint IP.',
    public: '',
  }[text(answer['reach']) as 'nowhere' | 'local' | 'public']
  return [next, ...(reach === '' || reach === undefined ? [] : [reach])].map((line) => `${line}\n`).join('')
}

/** Who is a friend now. */
export function acceptedText({ friend }: OperationData): string {
  const { id, name, prefix, asn, listenPort, transit } = friend as Row
  const may = transit === true ? 'his own prefix and what he carries' : 'his own prefix only'
  return `${text(name ?? id)} (${text(id)}) is a friend: prefix ${text(prefix)}, AS ${text(asn)}; may announce ${may}. UDP port of the link here: ${text(listenPort)}.\n`
}

/** What was taken back. */
export function revokedText({ revoked, friend, id }: OperationData): string {
  if (revoked === 'invite') return `The invitation ${text(id)} is withdrawn.\n`
  const { name, id: friendId } = friend as Row
  return `${text(name ?? friendId)} is no friend any more. Running meshes end the session within two seconds.\n`
}

/** Friends and open invitations. */
export function friendsText(answer: OperationData, width: number, paint: Colours): string {
  const [friends, invites] = [rows(answer['friends']), rows(answer['invites'])]
  if (friends.length + invites.length === 0) return 'No friends and no open invitations. To begin: beam anonet invite\n'
  const own =
    answer['address'] === undefined
      ? ''
      : `You: ${text(answer['address'])}, prefix ${text(answer['prefix'])}, AS ${text(answer['asn'])}, id ${text(answer['id'])}\n\n`
  const people =
    friends.length === 0
      ? ''
      : table(
          [
            { title: 'Friend', max: 20 },
            { title: 'Id', max: 8 },
            { title: 'Prefix', max: 18 },
            { title: 'May announce', max: 16 },
            { title: 'Reached at', max: 40 },
          ],
          friends.map(({ name, id, prefix, transit, endpoints }) => [
            text(name),
            text(id),
            text(prefix),
            transit === true ? 'own and carried' : 'own',
            Array.isArray(endpoints) ? endpoints.join(' ') : '',
          ]),
          width,
          paint,
        )
  const open = invites.map(
    ({ id, for: whom, expiresAt }) =>
      `Invited${whom === undefined ? '' : ` ${text(whom)}`} (${text(id)}), until ${text(expiresAt).slice(0, 16).replace('T', ' ')} UTC\n`,
  )
  return own + people + (friends.length > 0 && open.length > 0 ? '\n' : '') + open.join('')
}

/** A mesh as it is. */
export function statusText(answer: OperationData, width: number, paint: Colours): string {
  const head: Array<readonly [string, string]> = [['State', `${text(answer['state'])}: ${text(answer['message'])}`]]
  if (answer['address'] !== undefined) head.push(['Address', text(answer['address'])])
  if (answer['prefix'] !== undefined) head.push(['Prefix', `${text(answer['prefix'])}, AS ${text(answer['asn'])}`])
  if (answer['bird'] !== undefined) head.push(['BIRD', text(answer['bird'])])
  if (answer['uplink'] === 'relayed') head.push(['Links', 'relayed by Beam into a namespace of your own user'])
  const title = answer['mode'] === 'attach' ? 'Mesh of this machine' : 'Mesh of Beam’s own'
  const routes = rows(answer['routes'])
  const parts = [`${paint.bold(title)}\n`, labelled(head, width), linksText(answer, width, paint)]
  if (routes.length > 0) {
    parts.push(
      '\n',
      table(
        [
          { title: 'Prefix', max: 18 },
          { title: 'Through', max: 32 },
          { title: 'Origin', max: 14 },
        ],
        routes.map(({ prefix, via, primary, originAs }) => [
          text(prefix),
          `${text(via)}${primary === true ? '' : ' (second choice)'}`,
          originAs === undefined ? 'this node' : `AS ${text(originAs)}`,
        ]),
        width,
        paint,
      ),
    )
  }
  return parts.join('')
}

function linksText(answer: OperationData, width: number, paint: Colours): string {
  const friends = rows(answer['friends'])
  if (friends.length > 0) {
    const columns = [
      { title: 'Friend', max: 20 },
      { title: 'Session', max: 14 },
      { title: 'BFD', max: 6 },
      { title: 'Handshake', max: 12 },
      { title: 'Received', max: 10 },
      { title: 'Sent', max: 10 },
    ]
    const lines = friends.map(({ name, id, session, bfd, handshakeSecondsAgo: age, receivedBytes, sentBytes }) => [
      text(name ?? id),
      text(session),
      text(bfd ?? '–'),
      age === undefined ? 'none yet' : `${text(age)} s ago`,
      bytes(receivedBytes),
      bytes(sentBytes),
    ])
    return `\n${table(columns, lines, width, paint)}`
  }
  const sessions = rows(answer['sessions'])
  if (sessions.length === 0) return ''
  const columns = [
    { title: 'Session', max: 24 },
    { title: 'State', max: 40 },
  ]
  return `\n${table(
    columns,
    sessions.map(({ name, info }) => [text(name), text(info)]),
    width,
    paint,
  )}${wireguardText(answer, width, paint)}`
}

function wireguardText(answer: OperationData, width: number, paint: Colours): string {
  const states = Object.entries((answer['wireguard'] ?? {}) as Readonly<Record<string, Row>>)
  const lines = states.flatMap(([name, { peers }]) =>
    rows(peers).map(({ lastHandshake, receivedBytes, sentBytes }) => [
      name,
      lastHandshake === undefined ? 'none yet' : `${Math.max(0, Math.round(Date.now() / 1_000 - Number(lastHandshake)))} s ago`,
      bytes(receivedBytes),
      bytes(sentBytes),
    ]),
  )
  if (lines.length === 0) return ''
  const columns = [
    { title: 'WireGuard', max: 16 },
    { title: 'Handshake', max: 12 },
    { title: 'Received', max: 10 },
    { title: 'Sent', max: 10 },
  ]
  return `\n${table(columns, lines, width, paint)}`
}

function bytes(value: unknown): string {
  const count = Number(value ?? 0)
  if (count < 1_000) return `${count} B`
  if (count < 1_000_000) return `${(count / 1_000).toFixed(1)} kB`
  return count < 1_000_000_000 ? `${(count / 1_000_000).toFixed(1)} MB` : `${(count / 1_000_000_000).toFixed(2)} GB`
}
