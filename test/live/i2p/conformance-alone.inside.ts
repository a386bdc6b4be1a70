import { testI2p } from './conformance.ts'

testI2p('alone')
