import { configDefaults, defineConfig } from 'vitest/config'

/** Clients find dummy credentials and nothing of the user's own AWS settings. */
const env = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_SESSION_TOKEN: '',
  AWS_PROFILE: '',
  AWS_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT_URL: '',
}

const shared = {
  env,
  setupFiles: ['test/endpoint/guard.ts'],
  // for what hangs: a synthesis takes a second on a free machine and half a minute on a busy one,
  // and the first start of a browser reads 300 MB, half a minute from a slow disk that has nothing else to do
  testTimeout: 120_000,
  hookTimeout: 240_000,
  exclude: [...configDefaults.exclude, '**/.build/**', '**/.loadpath/**', '**/cdk.out/**'],
}

export default defineConfig({
  test: {
    // what functions log belongs to the tests that fail
    silent: 'passed-only',
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['**/*.unit.test.ts', 'test/conventions/**/*.test.ts', 'test/templates/**/*.unit.test.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'int',
          include: ['**/*.int.test.ts'],
          globalSetup: 'test/endpoint/int.ts',
        },
      },
      {
        test: {
          ...shared,
          name: 'browser',
          include: ['**/*.browser.test.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'e2e',
          // one of them kills the processes of all functions
          fileParallelism: false,
          include: ['**/*.e2e.test.ts'],
          globalSetup: 'test/endpoint/e2e.ts',
        },
      },
    ],
  },
})
