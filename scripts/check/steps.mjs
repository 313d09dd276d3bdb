/** @typedef {{ name: string, commands: readonly [string, ...string[]][], advice?: string }} Step */

/**
 * What `npm run check` runs; programs are those of node_modules, or node itself.
 * @type {readonly Step[]}
 */
export const STEPS = [
  { name: 'format', commands: [['prettier', '--check', '.']], advice: 'npm run format' },
  { name: 'lint', commands: [['oxlint', '--type-aware', '--deny-warnings']] },
  {
    name: 'types',
    commands: [
      ['tsc', '-b'],
      ['tsc', '-p', 'test/tsconfig.json'],
      ['tsc', '-p', 'scripts/tsconfig.json'],
    ],
  },
  {
    name: 'import boundaries',
    commands: [['depcruise', 'libs', 'apps', 'bench', '--config', '.dependency-cruiser.cjs']],
  },
  {
    name: 'unused exports',
    // A package's index is its public API; an application is imported late, which the tool does not see; a type may be exported for whoever uses the value it describes.
    commands: [
      [
        'ts-unused-exports',
        'test/tsconfig.json',
        '--excludePathsFromReport=src/index;src/application',
        '--allowUnusedTypes',
      ],
    ],
  },
  {
    name: 'docs are fresh',
    commands: [['node', 'scripts/generate-docs.mjs', '--check']],
    advice: 'npm run docs',
  },
];
