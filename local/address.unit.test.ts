import { expect, test } from 'vitest'
import { apiAddress } from './address.ts'

const config = { api: 'https://a1b2.execute-api.us-east-1.amazonaws.com', apiId: 'a1b2' }

test('in an account the address is the one that the deployment says', () => {
  expect(apiAddress(config, undefined)).toBe(config.api)
})

test.each(['http://localhost:4566', 'http://localhost:4566/'])(
  'on %s it is a path of the endpoint',
  (endpoint) => {
    expect(apiAddress(config, endpoint)).toBe('http://localhost:4566/_aws/execute-api/a1b2/%24default')
  },
)
