import type { CommandClass } from './base-command.ts'

/** What the module of a command exports. */
interface CommandModule {
  readonly default: CommandClass
}

/** Every command by its id, each loaded when it is run (`key:show` is typed as `beam key show`). */
export const LOADERS = {
  expose: () => import('./commands/expose.ts'),
  connect: () => import('./commands/connect.ts'),
  up: () => import('./commands/up.ts'),
  down: () => import('./commands/down.ts'),
  plan: () => import('./commands/plan.ts'),
  migrate: () => import('./commands/migrate.ts'),
  node: () => import('./commands/node.ts'),
  list: () => import('./commands/list.ts'),
  status: () => import('./commands/status.ts'),
  stop: () => import('./commands/stop.ts'),
  logs: () => import('./commands/logs.ts'),
  'daemon:start': () => import('./commands/daemon/start.ts'),
  'daemon:stop': () => import('./commands/daemon/stop.ts'),
  'daemon:status': () => import('./commands/daemon/status.ts'),
  'daemon:logs': () => import('./commands/daemon/logs.ts'),
  'daemon:install': () => import('./commands/daemon/install.ts'),
  'daemon:run': () => import('./commands/daemon/run.ts'),
  benchmark: () => import('./commands/benchmark.ts'),
  export: () => import('./commands/export.ts'),
  import: () => import('./commands/import.ts'),
  'key:show': () => import('./commands/key-show.ts'),
  'key:list': () => import('./commands/key-list.ts'),
  'config:init': () => import('./commands/config/init.ts'),
  'config:show': () => import('./commands/config/show.ts'),
  'config:get': () => import('./commands/config/get.ts'),
  'config:set': () => import('./commands/config/set.ts'),
  'config:unset': () => import('./commands/config/unset.ts'),
  'config:validate': () => import('./commands/config/validate.ts'),
  'config:path': () => import('./commands/config/path.ts'),
  'backend:list': () => import('./commands/backend/list.ts'),
  'backend:info': () => import('./commands/backend/info.ts'),
  'backend:test': () => import('./commands/backend/test.ts'),
  'backend:create': () => import('./commands/backend/create.ts'),
  'plugins:list': () => import('./commands/plugins/list.ts'),
  'plugins:add': () => import('./commands/plugins/add.ts'),
  'plugins:remove': () => import('./commands/plugins/remove.ts'),
  'tor:status': async () => ({ default: (await import('./commands/onion/status.ts')).TorStatus }),
  'tor:newnym': async () => ({ default: (await import('./commands/onion/newnym.ts')).TorNewnym }),
  'tor:auth:add': async () => ({ default: (await import('./commands/onion/auth-add.ts')).TorAuthAdd }),
  'tor:auth:remove': async () => ({ default: (await import('./commands/onion/auth-remove.ts')).TorAuthRemove }),
  'tor:auth:list': async () => ({ default: (await import('./commands/onion/auth-list.ts')).TorAuthList }),
  'tor:auth:off': async () => ({ default: (await import('./commands/onion/auth-off.ts')).TorAuthOff }),
  'ator:status': async () => ({ default: (await import('./commands/onion/status.ts')).AtorStatus }),
  'ator:newnym': async () => ({ default: (await import('./commands/onion/newnym.ts')).AtorNewnym }),
  'ator:auth:add': async () => ({ default: (await import('./commands/onion/auth-add.ts')).AtorAuthAdd }),
  'ator:auth:remove': async () => ({ default: (await import('./commands/onion/auth-remove.ts')).AtorAuthRemove }),
  'ator:auth:list': async () => ({ default: (await import('./commands/onion/auth-list.ts')).AtorAuthList }),
  'ator:auth:off': async () => ({ default: (await import('./commands/onion/auth-off.ts')).AtorAuthOff }),
  'anonet:invite': () => import('./commands/anonet/invite.ts'),
  'anonet:accept': () => import('./commands/anonet/accept.ts'),
  'anonet:friends': () => import('./commands/anonet/friends.ts'),
  'anonet:revoke': () => import('./commands/anonet/revoke.ts'),
  'anonet:status': () => import('./commands/anonet/status.ts'),
  'i2p:status': () => import('./commands/i2p/status.ts'),
  doctor: () => import('./commands/doctor.ts'),
  completion: () => import('./commands/completion.ts'),
} satisfies Record<string, () => Promise<CommandModule>>

/** The ids of all commands. */
export const COMMAND_IDS = Object.keys(LOADERS) as ReadonlyArray<keyof typeof LOADERS>

/** What a first word that is no command by itself stands for. */
export const TOPICS: Readonly<Record<string, { readonly description: string }>> = {
  anonet: { description: 'AnoNet: your mesh of friends.' },
  ator: { description: 'Anyone (ATOR): its daemon and who may visit.' },
  'ator:auth': { description: 'Who may visit named tunnels over Anyone (ATOR).' },
  backend: { description: 'Backends: the networks that Beam can use.' },
  config: { description: 'Settings: beam.config.yaml.' },
  daemon: { description: 'The daemon: carries tunnels in the background.' },
  i2p: { description: 'I2P: the routers and addresses in use.' },
  key: { description: 'Keys of this user.' },
  plugins: { description: 'Plugins: packages with further backends.' },
  tor: { description: 'Tor: its daemon and who may visit.' },
  'tor:auth': { description: 'Who may visit named tunnels over Tor.' },
}
