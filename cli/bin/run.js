#!/usr/bin/env node
// The `beam` command: the built CLI. The version is answered here, without loading anything.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const argv = process.argv.slice(2)
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`beam ${JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).version}\n`)
} else {
  const { main } = await import('../../dist/cli/main.js')
  await main(argv, root)
}
