#!/usr/bin/env node
// `beam` from the sources, without a build: node --import tsx --conditions=beam:source cli/bin/dev.js 3000
import { fileURLToPath } from 'node:url'
import { main } from '../main.ts'

await main(process.argv.slice(2), fileURLToPath(new URL('../..', import.meta.url)))
