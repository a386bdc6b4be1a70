/** Asks the local network for a name, as a browser's system does, and prints its addresses. Use: node mdns-query.mjs NAME OWN_ADDRESS */
import create from 'multicast-dns'

const WAIT_MS = 1_000
const [name, from] = process.argv.slice(2)
const mdns = create({ interface: from, bind: '0.0.0.0' })
const addresses = new Set()
mdns.on('response', ({ answers }) => {
  for (const answer of answers) if (answer.name === name && answer.type === 'A' && answer.ttl > 0) addresses.add(answer.data)
})
mdns.on('ready', () => mdns.query(name, 'A'))
setTimeout(() => {
  console.log(JSON.stringify([...addresses]))
  mdns.destroy()
}, WAIT_MS)
