import { expect, it } from 'vitest'
import { reasonOf } from '../../core/errors.ts'
import { webhookSecretsIn } from './secrets.ts'

it('webhook secrets are texts by name', () => {
  expect(webhookSecretsIn('{"github/main/current":"a"}')).toEqual({ 'github/main/current': 'a' })
})

it.each([
  'hunter2-the-secret',
  '"hunter2"',
  '{"github":{"main":"hunter2"}}',
  '{"github/main/current":"hunter2"',
])('a secret that is none of them is told without showing it: %s', (text) => {
  let told = ''
  try {
    webhookSecretsIn(text)
  } catch (error) {
    told = reasonOf(error)
  }
  expect(told).toMatch(/the webhook secret .* is not one JSON object of texts/)
  expect(told).not.toContain('hunter')
})
