/** Tests stand beside the source; test/ holds what needs more than one part. Services are started by test/support. */
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' } }] },
  modulePathIgnorePatterns: ['<rootDir>/agent/dist/', '<rootDir>/node_modules/.cache/'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  setupFilesAfterEnv: [
    '<rootDir>/test/support/fixed-seed.ts',
    '<rootDir>/test/support/refused-origin.ts',
    '<rootDir>/test/support/after-each-file.ts',
  ],
};

export default {
  testTimeout: 90_000, // real services on a busy machine; longer than `runPython` waits
  projects: [
    { ...common, displayName: 'agent', testMatch: ['<rootDir>/agent/src/**/*.test.ts'] },
    { ...common, displayName: 'test', testMatch: ['<rootDir>/test/**/*.test.ts'] },
  ],
};
