/**
 * A friend who announces what he may not: BIRD with the configuration that Beam writes, beside a BIRD that says whatever it likes.
 * Use: node filters-scenario.mjs BEAM-FOLDER
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join as path } from 'node:path'
import { eventually } from '../../helpers/anonet-ring/beams.mjs'
import { addHosts, inside, ip, join } from '../../helpers/anonet-ring/hosts.mjs'

const [, , BEAM] = process.argv
const { birdConfig } = await import(path(BEAM, 'backends/anonet/managed/bird-config.js'))
const { parsePrefix } = await import(path(BEAM, 'backends/anonet/mesh-address.js'))
const { BirdClient } = await import(path(BEAM, 'backends/anonet/bird/client.js'))
const { readProtocols, readRoutes } = await import(path(BEAM, 'backends/anonet/bird/tables.js'))
const { systemClock } = await import(path(BEAM, 'core/index.js'))

const ROGUE = 4242420002
/** What he says: his own, and everything that he may not. `path` is who he says it came from. */
const SAID = [
  ['21.2.0.0/24'],
  ['21.2.0.7/32'],
  ['21.61.0.0/24', [4242420061]],
  ['0.0.0.0/0'],
  ['10.0.0.0/8'],
  ['21.62.0.0/23'],
  ['21.60.0.0/24'],
  ['21.1.0.0/24', [4242420063]],
  ['21.1.0.128/25'],
  ['21.50.0.0/24'],
  ['21.50.0.1/32', [4242420064]],
  ['21.51.0.0/24', [4242420051]],
  ['21.255.9.0/24', [4242420065]],
  ['21.66.0.0/24', Array.from({ length: 16 }, (_, index) => 4242420100 + index)],
]

const friend = {
  protocol: 'friend_rogue',
  interface: 'V-R',
  ownAddress: '10.99.1.1',
  address: '10.99.1.2',
  asn: ROGUE,
  prefix: parsePrefix('21.2.0.0/24'),
}
const absent = (name, number) => ({
  ...friend,
  protocol: name,
  interface: 'lo',
  ownAddress: '10.98.0.1',
  address: `10.98.0.${number}`,
  asn: 4242420000 + number,
  prefix: parsePrefix(`21.${number}.0.0/24`),
  transit: true,
})
const victim = (transit) =>
  birdConfig({
    prefix: parsePrefix('21.1.0.0/24'),
    asn: 4242420001,
    range: parsePrefix('21.0.0.0/8'),
    timing: { bfdMs: 100, holdSeconds: 9 },
    friends: [{ ...friend, transit }, absent('friend_other', 50), absent('friend_third', 51)],
  })
const rogue = `log stderr { error, fatal, bug };
router id 21.2.0.1;
protocol device {}
protocol bfd {}
protocol static said { ipv4; ${SAID.map(([net]) => `route ${String(net)} blackhole;`).join(' ')} }
protocol bgp victim {
  local 10.99.1.2 as ${ROGUE}; neighbor 10.99.1.1 as 4242420001; direct; bfd on; connect delay time 0;
  ipv4 { import all; export filter { ${SAID.map(([net, from = []]) =>
    from
      .toReversed()
      .map((as) => `if net = ${String(net)} then bgp_path.prepend(${as});`)
      .join(' '),
  ).join(' ')} accept; }; };
}
`

const file = (name) => path(process.env.HOME, name)
function bird(host, name, config) {
  writeFileSync(file(`${name}.conf`), config)
  const [program, ...args] = inside(host, 'bird', '-f', '-c', file(`${name}.conf`), '-s', file(`${name}.ctl`))
  return spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

addHosts(['V', 'R'])
join('V', 'R', 1)
ip('-n', 'V', 'addr', 'add', '21.1.0.1/32', 'dev', 'lo')
bird('R', 'rogue', rogue)
const report = {}
for (const transit of [true, false]) {
  const child = bird('V', 'victim', victim(transit))
  const client = await eventually('BIRD listens', () =>
    BirdClient.connect(file('victim.ctl'), { clock: systemClock }).catch(() => undefined),
  )
  await eventually('the session is up', async () =>
    readProtocols(await client.ask('show protocols')).some(({ info }) => info === 'Established'),
  )
  const refused = async () => readRoutes(await client.ask('show route filtered'))
  await eventually('all of it has been heard', async () => {
    const known = readRoutes(await client.ask('show route protocol friend_rogue'))
    return known.length + (await refused()).length >= SAID.length
  })
  const routes = readRoutes(await client.ask('show route protocol friend_rogue'))
  report[transit ? 'transit' : 'ownOnly'] = { believed: routes.map(({ prefix }) => prefix).toSorted(), refused: (await refused()).length }
  client[Symbol.dispose]()
  child.kill('SIGTERM')
  await new Promise((resolve) => child.once('exit', resolve))
}
process.stdout.write(JSON.stringify(report))
process.exit(0)
