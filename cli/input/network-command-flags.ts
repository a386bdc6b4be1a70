import { string } from '@oclif/core/flags'

/** The database that tells countries. */
export const GEOIP_FLAG = {
  geoip: string({
    description:
      'A GeoIP database of yours in MaxMind’s format (.mmdb), for the countries of peers. It is read on this machine; nothing is asked elsewhere.',
    helpValue: 'FILE',
  }),
}

/** The time that is looked at. */
export const PERIOD_FLAG = {
  period: string({ description: 'How far back: 90m, 24h, 7d; at most 32d, which is what is kept.', helpValue: 'TIME', default: '24h' }),
}

/** How often a running view looks. */
export const EVERY_FLAG = {
  every: string({ description: 'Time between two looks, from 500ms to 1m.', helpValue: 'TIME', default: '1s' }),
}

/** Where a report goes. */
export const REPORT_FLAG = {
  output: string({
    char: 'o',
    description:
      'The file to write; “-” is standard output. Default: a new file here (diagnose: standard output where that is no terminal).',
    helpValue: 'FILE',
  }),
}
