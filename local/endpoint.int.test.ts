import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { CreateQueueCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { createStack } from '../test/endpoint/stack.ts'
import {
  clientSettings,
  findEndpoint,
  givenEndpoint,
  savedAt,
  startEndpoint,
  stopEndpoint,
} from './endpoint.ts'
import { freePort } from './port.ts'
import { runs, startOf } from './processes.ts'

const directory = mkdtempSync(join(tmpdir(), 'loadpath-endpoint-'))
// as in a clone, where functions are unpacked below a package of ES modules
writeFileSync(join(directory, 'package.json'), '{"type": "module"}')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function start(name: string) {
  const options = { port: await freePort(), directory: join(directory, name), keep: true }
  const endpoint = await startEndpoint({ ...options, log: join(directory, `${name}.log`) })
  onTestFinished(() => stopEndpoint(endpoint.mark))
  return endpoint
}

test('what it held is there again after a graceful stop and a new start', async () => {
  const began = new Date().toISOString()
  const first = await start('kept')
  await new SQSClient(clientSettings(first.url)).send(new CreateQueueCommand({ QueueName: 'kept' }))
  await stopEndpoint(first.mark)
  expect(runs(first.mark)).toBe(false)
  const saved = savedAt(join(directory, 'kept')) ?? ''
  expect(saved > began).toBe(true)
  const second = await start('kept')
  const { QueueUrls } = await new SQSClient(clientSettings(second.url)).send(new ListQueuesCommand({}))
  expect(QueueUrls).toEqual([expect.stringMatching(/\/kept$/)])
  process.kill(second.mark.pid, 'SIGKILL')
  await vi.waitFor(() => expect(runs(second.mark)).toBe(false))
  expect(savedAt(join(directory, 'kept'))).toBe(saved)
})

test('it saves its state and ends, however the process ends that started it', async () => {
  const options = { port: await freePort(), directory: join(directory, 'orphan'), keep: true }
  const script = `
    const { startEndpoint } = await import(${JSON.stringify(join(import.meta.dirname, 'endpoint.ts'))})
    const { mark } = await startEndpoint(${JSON.stringify({ ...options, log: join(directory, 'orphan.log') })})
    console.log(JSON.stringify(mark))
    setInterval(() => undefined, 1000)`
  const starter = spawn(process.execPath, ['--input-type=module', '--eval', script])
  const [line] = await once(starter.stdout, 'data')
  const mark = JSON.parse(String(line))
  onTestFinished(() => stopEndpoint(mark))
  const url = `http://127.0.0.1:${options.port}`
  await new SQSClient(clientSettings(url)).send(new CreateQueueCommand({ QueueName: 'orphan' }))
  starter.kill('SIGKILL')
  await vi.waitFor(() => expect(runs(mark)).toBe(false), { timeout: 20_000 })
  expect(readFileSync(join(options.directory, 'services', 'sqs.json'), 'utf8')).toContain('orphan')
})

test('a function that is in the midst of something ends with it', async () => {
  const { url, mark } = await start('functions')
  await createStack(url, 'functions', {
    Resources: {
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'busy',
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Timeout: 60,
          Role: 'arn:aws:iam::000000000000:role/none',
          Code: {
            ZipFile:
              'exports.handler = async ({ wait }) => { await new Promise((done) => setTimeout(done, wait)); return { pid: process.pid, node: process.version, home: process.env.HOME } }',
          },
        },
      },
    },
  })
  const functions = new LambdaClient({ ...clientSettings(url), maxAttempts: 1 })
  const invoke = (wait: number) =>
    functions.send(
      new InvokeCommand({ FunctionName: 'busy', Payload: Buffer.from(JSON.stringify({ wait })) }),
    )
  const { Payload } = await invoke(0)
  await invoke(0)
  const logs = new CloudWatchLogsClient(clientSettings(url))
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/busy' }))
  const reports = events.flatMap(({ message = '' }) => (message.startsWith('REPORT') ? [message] : []))
  // as Lambda has it: what it took to begin a process is no part of the duration, and told of the first alone
  expect(
    reports.map((report) => /\tDuration: \d+ ms\t.*\tInit Duration: \d+ ms$/.test(report)).toSorted(),
  ).toEqual([false, true])
  const { pid, node, home } = JSON.parse(Buffer.from(Payload ?? []).toString())
  expect(node).toMatch(/^v24\./)
  expect(home).toBe(join(directory, 'functions'))
  expect(startOf(pid)).toBeDefined()
  const broken = invoke(50_000).catch((error: unknown) => error)
  await stopEndpoint(mark)
  expect(startOf(pid)).toBeUndefined()
  expect(await broken).toBeInstanceOf(Error)
})

test('a taken port is named, with who has it and what to do', async () => {
  const other = createServer()
  await once(other.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void other.close())
  const address = other.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await expect(findEndpoint({ LOADPATH_PORT: String(port) }, () => undefined, directory)).rejects.toThrow(
    new RegExp(`^port ${port} is taken by pid ${process.pid} \\(.+\\): .*set LOADPATH_PORT`),
  )
})

test('an endpoint that cannot start says why, with what it said itself', async () => {
  const place = join(directory, 'broken')
  mkdirSync(place)
  const program = join(place, 'ministack')
  writeFileSync(program, '#!/bin/sh\necho no such module\nexit 3\n', { mode: 0o755 })
  const options = { port: await freePort(), directory: place, keep: false, log: join(place, 'log') }
  await expect(startEndpoint({ ...options, command: [program] })).rejects.toThrow(
    /did not start: it ended with code 3.*no such module/s,
  )
  const missing = join(place, 'nothing')
  await expect(startEndpoint({ ...options, command: [missing] })).rejects.toThrow(/did not start: .*ENOENT/)
})

test('what is kept goes with the port it was made on', async () => {
  const place = join(directory, 'moved')
  mkdirSync(place)
  writeFileSync(join(place, 'port'), '4999')
  await expect(findEndpoint({ LOADPATH_PORT: '5000' }, () => undefined, place)).rejects.toThrow(
    'works on port 4999 only: set LOADPATH_PORT=4999, or begin anew with --fresh',
  )
})

test.each([
  ['70000', 'LOADPATH_PORT is 70000: expected a port, 1 to 65535'],
  ['http', 'LOADPATH_PORT is http: expected a port'],
])('LOADPATH_PORT=%s is refused', async (port, message) => {
  await expect(findEndpoint({ LOADPATH_PORT: port }, () => undefined, directory)).rejects.toThrow(message)
})

test('an endpoint that is given is used while it answers, and never AWS itself', async () => {
  const { url } = await start('given')
  expect(await givenEndpoint({ AWS_ENDPOINT_URL: url })).toBe(url)
  expect(await findEndpoint({ AWS_ENDPOINT_URL: url }, () => undefined)).not.toHaveProperty('mark')
  expect(await givenEndpoint({ AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}` })).toBeUndefined()
  await expect(givenEndpoint({ AWS_ENDPOINT_URL: 'https://sqs.us-east-1.amazonaws.com' })).rejects.toThrow(
    'that is AWS itself',
  )
  await expect(givenEndpoint({ AWS_ENDPOINT_URL: 'localhost:4566:' })).rejects.toThrow('expected an address')
})
