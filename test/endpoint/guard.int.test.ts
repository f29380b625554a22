import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { expect, inject, test } from 'vitest'

test('a client without settings talks to the endpoint of the tests', async () => {
  const queues = new SQSClient()
  await expect(queues.send(new ListQueuesCommand({}))).resolves.toMatchObject({
    $metadata: { httpStatusCode: 200 },
  })
  expect(process.env.AWS_ENDPOINT_URL).toBe(inject('endpoint'))
})

test.each(['https://sqs.us-east-1.amazonaws.com/', 'http://192.0.2.1/', 'http://[2001:db8::1]/'])(
  'a connection to %s is refused before it is tried',
  async (url) => {
    const failure = await fetch(url).catch((error: Error) => error.cause)
    expect(String(failure)).toContain('tests may connect to this machine only')
  },
)
