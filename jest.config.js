/** Three kinds of tests: `unit` needs nothing but Node; `integration` real OVSDB servers; `e2e` root and network namespaces. */
const project = (displayName, testMatch) => ({
  displayName,
  testMatch,
  testEnvironment: 'node',
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
});

export default {
  projects: [
    project(
      'unit',
      ['<rootDir>/test/**/*.test.ts', '!<rootDir>/test/integration/**', '!<rootDir>/test/e2e/**'].map(
        pattern => pattern,
      ),
    ),
    project('integration', ['<rootDir>/test/integration/**/*.test.ts']),
    project('e2e', ['<rootDir>/test/e2e/**/*.test.ts']),
  ],
};
