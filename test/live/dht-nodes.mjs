/** A small DHT on one address; prints its bootstrap node. Use: node dht-nodes.mjs ADDRESS */
import HyperDHT from 'hyperdht'

const COUNT = 6
const [host] = process.argv.slice(2)
const bootstrap = []
for (let count = 0; count < COUNT; count++) {
  const node = new HyperDHT({ bootstrap: [...bootstrap], host, port: [0, 0], ephemeral: false, firewalled: false })
  await node.fullyBootstrapped()
  if (count === 0) bootstrap.push(`${host}:${node.address().port}`)
}
console.log(bootstrap[0])
