import { variables } from '../adapters/environment.ts'

/** What a bundle needs to start outside of Lambda. */
export const functionEnvironment = {
  ...process.env,
  ...Object.fromEntries(variables.map((name) => [name, 'x'])),
  ACCOUNT_PROJECTS: '{}',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
}
