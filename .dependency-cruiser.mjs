/** Who may import whom (ARCHITECTURE.md, "Layers"). Each rule is shown to fire by test/check/layers.test.ts. */

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    rule(
      'no-cycles',
      'Modules that import each other, also types only, are one module in disguise. What import() closes at run time is not.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['dynamic-import'] } },
    ),
    rule(
      'core-imports-nobody',
      'The domain knows no network, no container, no command line.',
      { path: '^core/' },
      { path: '^(backends|plugins|config|cli)/' },
    ),
    rule(
      'core-stays-light',
      'Beyond node: built-ins, core may use CBOR and the histogram. It imports nobody of ours, so nothing else can be reached from it.',
      { path: '^core/' },
      { path: 'node_modules/', pathNot: 'node_modules/(cborg|hdr-histogram-js)/' },
    ),
    rule(
      'backends-import-only-core',
      'A backend must work without the rest of the house.',
      { path: '^backends/' },
      { path: '^(plugins|config|cli)/' },
    ),
    rule(
      'backends-are-strangers',
      'Two networks share code through backends/_shared only.',
      { path: '^backends/([^/]+)/' },
      { path: '^backends/', pathNot: '^backends/(_shared|$1)/' },
    ),
    rule(
      'config-imports-only-core',
      'Configuration is read before anything is loaded.',
      { path: '^config/' },
      { path: '^(backends|plugins|cli)/' },
    ),
    rule('nobody-imports-cli', 'What the command line can do, the SDK can do.', { pathNot: '^(cli|test)/' }, { path: '^cli/' }),
    rule(
      'backends-by-the-front-door',
      'A backend is entered by its index.ts.',
      { pathNot: '^(backends|test)/' },
      { path: '^backends/', pathNot: '^backends/[^/]+/index\\.ts$' },
    ),
    rule(
      'only-builtins-names-backends',
      'A network is a plugin: one file knows the built-in ones.',
      { pathNot: '^(backends/|test/|plugins/builtins\\.ts$)' },
      { path: '^backends/' },
    ),
    rule(
      'builtins-load-lazily',
      'An unused network costs nothing at start-up.',
      { path: '^plugins/builtins\\.ts$' },
      { path: '^backends/', dynamic: false },
    ),
    rule(
      'di-stays-in-plugins',
      'Classes take plain components; only the composition root knows the container.',
      { pathNot: '^(plugins|test|node_modules)/' },
      { path: 'node_modules/(tsyringe|reflect-metadata)/' },
    ),
    rule('no-orphans', 'A file that nobody imports is forgotten or dead.', { orphan: true, pathNot: '\\.d\\.ts$' }, {}),
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['beam:source', 'import', 'types', 'default'] },
  },
}
