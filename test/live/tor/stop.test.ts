import { it } from 'vitest'
import { torPlugin } from '../../../backends/tor/index.ts'
import { requireTor } from '../../helpers/onion-network/index.ts'
import { declareStop } from './declare-stop.ts'

const flavor = requireTor()
if (flavor === undefined) it('needs the daemon', (context) => context.skip('said above'))
else declareStop(flavor, torPlugin)
