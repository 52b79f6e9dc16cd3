const KUBERNETES = '@kubernetes/client-node/dist/(config_types|exec_auth)\\.js$';

/**
 * The kinds of tests: `unit` needs nothing but Node; `integration` real servers; `e2e` root and network namespaces.
 * `rights` looks at what the others before it asked of Kubernetes API servers.
 */
const project = (displayName, folder, options) => ({
  displayName,
  testMatch: [`<rootDir>/${folder}/**/*.test.ts`],
  testEnvironment: 'node',
  // `dist` has a second copy of every module, and a build replaces it while tests run.
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/\\.build-'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
    // jest loads CommonJS, and this package is none.
    [KUBERNETES]: ['@swc/jest', { jsc: { target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  transformIgnorePatterns: [`/node_modules/(?!${KUBERNETES})`],
  ...options,
});

/** jest reads `testTimeout` only for all projects together, so the slow ones set theirs in a file. */
const slow = { setupFilesAfterEnv: ['<rootDir>/test/support/slow.ts'] };

export default {
  // By default jest leaves one processor alone, and many of our tests wait for a server most of their time.
  maxWorkers: '100%',
  // The machine may have other work: no test of ours is about five seconds.
  testTimeout: 20_000,
  projects: [
    project('unit', 'test', {
      testPathIgnorePatterns: ['integration', 'e2e', 'rights'].map(folder => `<rootDir>/test/${folder}/`),
    }),
    project('integration', 'test/integration', slow),
    project('e2e', 'test/e2e', slow),
    project('rights', 'test/rights'),
  ],
};
