/** The folders of one user's Beam. `config/paths.ts` works them out; `BEAM_HOME` moves them all. */
export interface BeamPaths {
  /** beam.config.yaml of the user. */
  readonly config: string
  /** Keys and pins: what must survive. Mode 0700. */
  readonly data: string
  /** Logs and other things that may be lost. */
  readonly state: string
  /** Sockets and the registry of running processes. Mode 0700; short enough for a socket path. */
  readonly runtime: string
}
