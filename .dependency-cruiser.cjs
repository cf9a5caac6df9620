/**
 * Import borders: what each part may import. See AGENTS.md; `test/unit/borders.test.ts` proves each rule.
 * Types count as imports here: the parser does not tell `import type` from `import`.
 */
const PURE =
  '^src/(run|run-transitions|json-depth|contract|limits|decisions|turns|failures|steps|tool-steps|search-attributes)\\.ts$';
const WORKFLOW_LIBRARY = 'node_modules/@temporalio/(workflow|common)/';
/** What loads Temporal's native worker, beside the modules that only name its types. */
const WORKER =
  '^src/(worker|create-worker|connect-worker|run-worker|worker-runtime|drover-plugin|workflow-bundle|logging)\\.ts$';

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
/** Everything that a part may import: what matches none of these is a violation. */
const only = (name, path, allowed, comment) => forbid(name, comment, { path }, { pathNot: allowed });

module.exports = {
  forbidden: [
    forbid('no-circular', 'a circle has no order in which to load or to read it', {}, { circular: true }),
    forbid(
      'not-resolved',
      'an import that finds nothing',
      {},
      // The workflows of the worker that Drover joins: its bundler puts their path in the place of this name.
      { couldNotResolve: true, pathNot: '^drover-own-workflows$' },
    ),
    forbid(
      'declared-dependencies',
      'what is published imports what package.json gives to those who install it',
      // Finds the server of `npm run dev`, and does without where the package is not there.
      { path: '^(src/|worker\\.ts$)', pathNot: '^src/dev/fetch-temporal\\.ts$' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm', 'npm-peer'] },
    ),
    only(
      'pure-types',
      '^src/(run|run-transitions|json-depth|contract|limits|decisions|turns|failures|steps|tool-steps)\\.ts$',
      [
        '^src/(run|run-transitions|json-depth|contract|limits|decisions|turns|failures|steps|tool-steps)\\.ts$',
      ],
      'the vocabulary imports nothing but itself',
    ),
    only(
      'pure-attributes',
      '^src/search-attributes\\.ts$',
      ['node_modules/@temporalio/common/'],
      'workflow code loads the search attributes',
    ),
    only(
      'workflows-sandbox',
      '^src/workflows/',
      ['^src/workflows/', PURE, WORKFLOW_LIBRARY],
      'workflow code is deterministic: the SDK and pure modules only',
    ),
    forbid(
      'workflows-by-bundler',
      'workflow code is loaded by the bundler, and by nobody else',
      { path: '^(src/|worker\\.ts$)', pathNot: '^src/(workflows/|joined-workflows\\.ts$)' },
      { path: '^src/(workflows/|joined-workflows\\.ts$)' },
    ),
    only(
      'workflow-door',
      '^src/workflow\\.ts$',
      [PURE, '^src/(errors|client-(summary|outcome))\\.ts$', WORKFLOW_LIBRARY],
      'the door for workflow code',
    ),
    forbid(
      'workflow-door-reach',
      'nor does anything behind that door leave the sandbox',
      { path: '^src/workflow\\.ts$' },
      { reachable: true, path: 'node_modules/(?!@temporalio/(workflow|common)/|nexus-rpc/|long/|ms/)' },
    ),
    forbid(
      'provider-sdk',
      'only a backend imports a provider SDK',
      { path: '^(src/|worker\\.ts$)', pathNot: '^src/backends/' },
      { path: 'node_modules/openai/' },
    ),
    forbid(
      'backends',
      'an adapter knows its wire and the run object',
      { path: '^src/backends/' },
      {
        pathNot: ['^src/backends/', PURE, '^src/config\\.ts$', 'node_modules/openai/'],
        dependencyTypesNot: ['core'],
      },
    ),
    forbid(
      'activities-not-workflows',
      'activities act, others decide, print and emulate',
      { path: '^src/activities/' },
      { path: '^src/(workflows|emulator|dev|demo|cli)/' },
    ),
    forbid(
      'tools-stand-alone',
      'a tool is defined without a worker, a client or a provider',
      { path: '^src/tools/' },
      { path: '^src/(?!tools/|(run|contract|limits|steps|tool-steps)\\.ts$)' },
    ),
    forbid(
      'mcp-brings-tools',
      'what speaks to MCP servers makes tools, and nobody else loads its SDK',
      { path: '^src/mcp(/|\\.ts$)' },
      { path: '^src/(?!mcp/|tools/|(run|contract|config-error)\\.ts$)' },
    ),
    forbid(
      'mcp-sdk',
      'the SDK is there only where somebody has installed it',
      { path: '^(src/|worker\\.ts$)', pathNot: '^src/mcp/' },
      { path: 'node_modules/@modelcontextprotocol/' },
    ),
    forbid(
      'webhooks-wake',
      'what receives webhooks asks the port and Temporal, and drives nothing',
      { path: '^src/webhooks/' },
      {
        path: '^src/(?!webhooks/|backends/backend\\.ts$|(client-missing|contract|env|logger|stop-signals)\\.ts$)',
      },
    ),
    forbid(
      'emulator-stands-alone',
      'the embedded provider knows nothing of Drover but the run object',
      { path: '^src/emulator/' },
      { path: ['^src/(?!emulator/|(run|json-depth)\\.ts$)', 'node_modules/(@temporalio|openai)/'] },
    ),
    forbid(
      'emulator-not-in-the-product',
      'what drives real runs never imports the embedded provider, the demo or the dev process',
      { path: '^src/', pathNot: '^src/(emulator|dev|demo|cli)/' },
      { path: '^src/(emulator|dev|demo)/' },
    ),
    forbid(
      'cli-is-a-leaf',
      'the CLI parses and prints: nothing imports it but what prints beside it',
      { path: '^(src/|worker\\.ts$)', pathNot: '^src/(cli|dev|demo)/' },
      { path: '^src/cli/' },
    ),
    forbid(
      'native-worker',
      "only what builds a worker imports Temporal's",
      // The configuration names its types; `test/unit/client-imports.test.ts` sees that it loads nothing.
      { path: '^(src/|worker\\.ts$)', pathNot: [WORKER, '^src/config\\.ts$'] },
      { path: 'node_modules/@temporalio/(worker|core-bridge)/' },
    ),
    forbid(
      'client-without-worker',
      'a service that only starts runs never loads the native worker, nor activities, nor a provider SDK',
      { path: '^src/(index|client[a-z-]*|errors|request[a-z-]*)\\.ts$' },
      {
        reachable: true,
        path: [WORKER, '^src/(activities|dev|demo|cli|emulator)/', 'node_modules/(openai|fastify)/'],
      },
    ),
    only(
      'judge-is-pure',
      '^faults/(judge/|kill-windows\\.ts$)',
      [
        '^faults/(judge/|(kill-windows|plan|script|shapes|requests|tool-table|tool-journal|nemesis-journal|people-journal|heard-journal)\\.ts$)',
        '^faults/drivers/driver\\.ts$',
        '^src/((run|json-depth)\\.ts$|emulator/)',
      ],
      'what judges the faults reads journals, and asks no driver',
    ),
    only(
      'textbook-is-plain',
      '^bench/textbook/',
      ['^bench/textbook/', 'node_modules/(@temporalio/(activity|workflow|common)|openai)/'],
      'what Drover is set beside owes it nothing',
    ),
    forbid(
      'src-stands-alone',
      'the sources need nothing that is not published',
      { path: '^(src/|worker\\.ts$)' },
      { path: '^(test|bench|faults|examples|scripts)/' },
    ),
    forbid(
      'bench-measures-the-product',
      'the bench measures what is published: it needs nothing of the tests',
      { path: '^bench/' },
      { path: '^(test|examples|scripts)/' },
    ),
    only(
      'bench-workflows',
      '^bench/(textbook|noop)/workflow\\.ts$',
      // The names of the activities and their types.
      ['^bench/textbook/activities\\.ts$', WORKFLOW_LIBRARY],
      'workflow code is deterministic there too',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: false,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
    exclude: { path: '^dist/' },
  },
};
