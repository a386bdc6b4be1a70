import { it } from 'vitest'
import { atorPlugin } from '../../../backends/ator/index.ts'
import { requireAnon } from '../../helpers/onion-network/index.ts'
import { declareConformance } from '../tor/declare-conformance.ts'

const flavor = requireAnon()
if (flavor === undefined) it('needs the daemon', (context) => context.skip('said above'))
else declareConformance(flavor, atorPlugin)
