/** Tests stand beside the source; test/ holds what needs more than one part. Services are started by test/support. */
const swc = {
  '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } }],
};

const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: swc,
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

export default {
  projects: [
    { ...common, displayName: 'agent', rootDir: import.meta.dirname, testMatch: ['<rootDir>/agent/src/**/*.test.ts'] },
    { ...common, displayName: 'test', rootDir: import.meta.dirname, testMatch: ['<rootDir>/test/**/*.test.ts'] },
  ],
};
