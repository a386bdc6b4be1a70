import { it } from 'vitest'
import { atorPlugin } from '../../../backends/ator/index.ts'
import { requireAnon } from '../../helpers/onion-network/index.ts'
import { declareStop } from '../tor/declare-stop.ts'

const flavor = requireAnon()
if (flavor === undefined) it('needs the daemon', (context) => context.skip('said above'))
else declareStop(flavor, atorPlugin)
