import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { endpoint, ours, ports, type Reply, reply, seen } from '../../test/aws-server.ts'
import { type ConnectOptions, connect, forFunctions } from './clients.ts'

describe('failures', () => {
  const call = (options: Partial<ConnectOptions> = {}) => ours(options).call('dynamodb', 'GetItem', {})
  const refusal = (type: string, status = 400): Reply => ({
    status,
    body: JSON.stringify({ __type: type, message: 'why' }),
  })

  test.each<[string, Reply]>([
    ['a server error', { status: 500, body: '<html>' }],
    ['throttling', refusal('com.amazonaws.dynamodb.v20120810#ThrottlingException')],
    [
      'too little throughput',
      refusal('com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException'),
    ],
    ['429', { status: 429, body: '{}' }],
    ['a closed connection', 'hang up'],
  ])('%s is tried again', async (_, first) => {
    reply(first, { status: 200, body: '{"Item":{}}' })
    expect(await call()).toEqual({ Item: {} })
    expect(seen).toHaveLength(2)
  })

  test('silence is tried again after the timeout', async () => {
    reply('silence', { status: 200, body: '{"Item":{}}' })
    expect(await call({ timeout: 50 })).toEqual({ Item: {} })
  })

  test('all tries together end within the budget', async () => {
    reply('silence', 'silence', 'silence', 'silence')
    const began = performance.now()
    await expect(call({ timeout: 100, attempts: 9, budget: 250 })).rejects.toMatchObject({
      code: 'NetworkError',
    })
    expect(performance.now() - began).toBeLessThan(400)
    expect(seen.length).toBeLessThanOrEqual(3)
  })

  test('a process that was busy until the budget was over tries no more, and says what failed', async () => {
    reply('silence', 'silence')
    // a pause of 30 ms, after a try of 50
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.3)
    const calling = call({ timeout: 50, attempts: 9, budget: 120 })
    setTimeout(() => {
      const until = performance.now() + 150
      while (performance.now() < until);
    }, 60)
    await expect(calling).rejects.toMatchObject({ code: 'NetworkError' })
    random.mockRestore()
    expect(seen).toHaveLength(1)
  })

  test('an answer that trickles in is over with the budget, too', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    const began = performance.now()
    const calling = call({ endpoint: `http://127.0.0.1:${port}`, timeout: 100, budget: 250 })
    await expect(calling).rejects.toMatchObject({ code: 'NetworkError' })
    expect(performance.now() - began).toBeLessThan(1000)
    server.closeAllConnections()
    server.close()
  })

  test('a function has time for two requests that hang, and more than one try for each', async () => {
    expect(2 * forFunctions.budget).toBeLessThan(10_000 - 1000)
    expect(forFunctions.budget / forFunctions.timeout).toBeGreaterThan(1)
    reply('silence', { status: 200, body: '{"Item":{}}' })
    expect(await call(forFunctions)).toEqual({ Item: {} })
  })

  test('after the last try it fails with what came last', async () => {
    reply(refusal('x#ThrottlingException'), 'hang up', { status: 503, body: 'busy' })
    await expect(call({ attempts: 3 })).rejects.toMatchObject({
      code: 'Http503',
      status: 503,
      message: 'busy',
    })
    expect(seen).toHaveLength(3)
  })

  test('what will not get better is not tried again, and keeps its name and detail', async () => {
    reply({
      status: 400,
      body: '{"__type":"a.b#TransactionCanceledException","Message":"no","CancellationReasons":[]}',
    })
    await expect(call()).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      code: 'TransactionCanceledException',
      message: 'no',
      detail: { CancellationReasons: [] },
    })
    expect(seen).toHaveLength(1)
  })

  test('S3 and SNS say it in XML', async () => {
    reply({ status: 404, body: '<?xml?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>' })
    await expect(ours().object('GET', 'b', 'k')).rejects.toMatchObject({ code: 'NoSuchKey', message: 'gone' })
    reply({
      status: 400,
      body: '<ErrorResponse><Error><Code>InvalidParameter</Code><Message>m</Message></Error></ErrorResponse>',
    })
    await expect(ours().form('sns', {})).rejects.toMatchObject({ code: 'InvalidParameter' })
  })

  test('an error in JSON from a 404 without a name is named by its status', async () => {
    reply({ status: 404, body: '{}' })
    await expect(call()).rejects.toMatchObject({ code: 'Http404' })
  })
})

test('connections are used again', async () => {
  const aws = ours()
  for (let n = 0; n < 5; n++) await aws.call('sqs', 'SendMessage', {})
  expect(ports.size).toBe(1)
})

test('missing settings are named', async () => {
  const { AWS_REGION } = process.env
  delete process.env.AWS_REGION
  expect(() => connect({ endpoint })).toThrow('AWS_REGION')
  process.env.AWS_REGION = AWS_REGION
  const { AWS_ACCESS_KEY_ID } = process.env
  delete process.env.AWS_ACCESS_KEY_ID
  await expect(connect({ endpoint }).call('sqs', 'SendMessage', {})).rejects.toThrow('AWS_ACCESS_KEY_ID')
  process.env.AWS_ACCESS_KEY_ID = AWS_ACCESS_KEY_ID
  expect(seen).toHaveLength(0)
})
