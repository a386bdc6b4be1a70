import { createInterface } from 'node:readline/promises'
import { boolean } from '@oclif/core/flags'
import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { EXIT } from '../report-error.ts'

/** `beam doctor`: what works on this machine, what does not, what to do. */
export default class Doctor extends BeamCommand {
  static override summary = 'Say what works on this machine, what does not, and what to do.'
  static override description =
    'Looks at Node.js, folders, sockets, multicast, the DHT and the daemons of other networks. Starts nothing and changes nothing. Exit code 0 unless Beam cannot work at all.'
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --no-dht', '<%= config.bin %> doctor --json']
  static override flags = {
    ...JSON_FLAG,
    dht: boolean({
      allowNo: true,
      description:
        'Contact the public DHT, which shows it your IP address. Default: asks at a terminal; else says so and does it. A DHT of your own (BEAM_P2P_BOOTSTRAP) is contacted without a question.',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor)
    const [
      { beamPaths },
      { examine },
      { machineChecks },
      { socketChecks },
      { dhtCheck, dhtSetting },
      { namespaceCheck },
      { daemonChecks },
      { samCheck },
      { isFatal, reportText },
    ] = await Promise.all([
      import('../../config/paths.ts'),
      import('../doctor/finding.ts'),
      import('../doctor/machine.ts'),
      import('../doctor/sockets.ts'),
      import('../doctor/dht.ts'),
      import('../doctor/namespaces.ts'),
      import('../doctor/daemons.ts'),
      import('../doctor/sam.ts'),
      import('../doctor/report.ts'),
    ])
    const setting = dhtSetting(process.env['BEAM_P2P_BOOTSTRAP'])
    const consent = setting.use !== 'public' || (flags.dht ?? (await mayContact(flags.json)))
    const checks = [
      ...machineChecks(beamPaths()),
      ...socketChecks(),
      namespaceCheck(),
      dhtCheck(setting, consent),
      ...daemonChecks(),
      samCheck(),
    ]
    const findings = await Promise.all(checks.map(examine))
    if (flags.json) {
      process.stdout.write(`${JSON.stringify({ ok: !findings.some(isFatal), findings })}\n`)
    } else {
      const [{ colours }, { columnsOf }] = await Promise.all([import('../output/colours.ts'), import('../output/layout.ts')])
      process.stdout.write(reportText(findings, columnsOf(process.stdout), colours(process.stdout)))
    }
    process.exitCode = findings.some(isFatal) ? EXIT.failed : EXIT.done
  }
}

/** Asks at a terminal before the public DHT is contacted; without a terminal it is announced. */
async function mayContact(json: boolean): Promise<boolean> {
  if (json || !process.stdin.isTTY || !process.stderr.isTTY) {
    process.stderr.write('Contacting the public DHT (leave it out with --no-dht).\n')
    return true
  }
  const question = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await question.question('Contact the public DHT? It will see your IP address. [Y/n] ')
    return !/^\s*n/i.test(answer)
  } finally {
    question.close()
  }
}
