// Imports go one way: apps -> work-queue, contracts -> qos. Inside work-queue a stage of a message's life
// imports the broker port, telemetry, errors and qos, never another stage; pipeline files join them.
const STAGES = '(admission|publish|consume|execute|settle|dead-letter)';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files must be readable in order.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'qos-is-pure',
      comment: 'qos turns numbers into decisions: no Nest, broker, clock, files or other packages of ours.',
      severity: 'error',
      from: { path: '^libs/qos/src', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^libs/qos/src', '^node_modules/class-validator'] },
    },
    {
      name: 'contracts-import-only-the-schema-library',
      severity: 'error',
      from: { path: '^libs/contracts/src', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^libs/contracts/src', '^libs/qos', '^node_modules/class-validator'] },
    },
    {
      name: 'libs-never-import-apps',
      severity: 'error',
      from: { path: '^libs/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(apps|bench|test)/' },
    },
    {
      name: 'one-folder-imports-amqplib',
      comment: 'Everything else sees the port in broker/broker.port.ts.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: ['^libs/work-queue/src/broker/amqp/', '\\.spec\\.ts$'] },
      to: { path: 'node_modules/amqplib' },
    },
    {
      name: 'a-stage-never-imports-another-stage',
      severity: 'error',
      from: { path: `^libs/work-queue/src/${STAGES}/`, pathNot: '\\.spec\\.ts$' },
      to: { path: `^libs/work-queue/src/${STAGES}/`, pathNot: '^libs/work-queue/src/$1/' },
    },
    {
      name: 'stages-know-no-nest',
      comment: 'Behaviour sits in plain classes a test can new; nest/ only wires them.',
      severity: 'error',
      from: {
        path: `^libs/work-queue/src/(${STAGES}|broker|control|fleet|sampling|alerts|telemetry|errors|config)/`,
        pathNot: '\\.spec\\.ts$',
      },
      to: { path: '^(libs/work-queue/src/nest/|node_modules/@nestjs)' },
    },
    {
      name: 'telemetry-imports-no-stage',
      severity: 'error',
      from: { path: '^libs/work-queue/src/(telemetry|errors)/' },
      to: { path: `^libs/work-queue/src/(${STAGES}|broker|nest|config)/` },
    },
    {
      name: 'no-undeclared-dependency',
      comment: 'Hoisting hides what a package forgot to declare.',
      severity: 'error',
      from: { path: '^(libs|apps|bench)/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'], pathNot: '^libs/' },
    },
    {
      name: 'no-own-barrel',
      comment: 'A file that imports its own index makes the package one big cycle.',
      severity: 'error',
      from: { path: '^(libs|apps)/([^/]+)/src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^$1/$2/src/index\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'test/tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@spillway/source', 'import', 'node', 'default', 'types'],
    },
  },
};
