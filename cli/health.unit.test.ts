import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cursorKey } from '../core/books/sweep-cursor.ts'
import { identityOf } from '../core/event/admit.ts'
import { controlRecord } from '../core/hold/control.ts'
import type { Route } from '../events/route.ts'
import { routes } from '../events/routes.ts'
import { AwsFault, type Served, serve } from '../test/cli/served.ts'
import { loadpath } from '../test/cli/terminal.ts'

let here: Served
beforeAll(async () => {
  here = await serve('dev')
})
afterAll(async () => {
  await here.close()
})

const run = (words: string[], env: Record<string, string> = here.env) => loadpath(words, { env })
const document = async (...words: string[]) => JSON.parse((await run([...words, '--json'])).out)

const queues = [
  'record',
  ...routes.map(({ subscriber, ordered }: Route) => (ordered ? `${subscriber}.fifo` : subscriber)),
  'dead-letters',
  'dead-letters.fifo',
  'bus-dead-letters',
]

/** All that the stage should have, as AWS tells it. */
function healthy(depth = 0) {
  const { operations } = here
  operations['Lambda.configuration'] = () => ({ State: 'Active' })
  operations['Lambda.mappings'] = () => ({
    EventSourceMappings: [
      ...queues.map((name) => ({
        EventSourceArn: `arn:aws:sqs:us-east-1:000000000000:loadpath-dev-${name}`,
        State: 'Enabled',
      })),
      {
        EventSourceArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/loadpath-dev-memory/stream/2026',
        State: 'Enabled',
      },
    ],
  })
  operations['AmazonSQS.GetQueueAttributes'] = ({ QueueUrl }) => ({
    Attributes: { ApproximateNumberOfMessages: String(String(QueueUrl).endsWith('-record') ? depth : 0) },
  })
  operations['AWSEvents.DescribeRule'] = () => ({ State: 'ENABLED' })
  operations['AWSStepFunctions.DescribeStateMachine'] = () => ({ status: 'ACTIVE' })
  operations['DynamoDB_20120810.DescribeTable'] = () => ({ Table: { TableStatus: 'ACTIVE' } })
}

describe('check', () => {
  it('counts what is up, and the backlog; all up is exit code 0', async () => {
    healthy(3)
    const { code, out, err } = await run(['check'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('stage dev: everything is up')
    for (const line of [
      'ok  endpoint        1/1',
      `ok  queues          ${queues.length}/${queues.length}`,
      `ok  mappings        ${queues.length + 1}/${queues.length + 1}`,
      'ok  rules           4/4',
      'ok  tables          3/3',
    ])
      expect(out).toContain(line)
    expect(out).toContain('backlog: 3 messages (record 3)')
    expect(out).toContain('dead letters: 0 letters in the queues, 0 dead deliveries')
    expect(await document('check')).toMatchObject({
      stage: 'dev',
      ok: true,
      backlog: 3,
      deadLetters: { letters: 0, deliveries: 0 },
    })
  })

  it('says what is not up, and why', async () => {
    healthy()
    const { operations } = here
    operations['Lambda.configuration'] = ({ name }) => {
      if (name === 'loadpath-dev-record') throw new AwsFault('ResourceNotFoundException')
      return { State: name === 'loadpath-dev-notify' ? 'Failed' : 'Active' }
    }
    operations['Lambda.mappings'] = () => ({
      EventSourceMappings: [
        {
          EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:loadpath-dev-notify',
          State: 'Disabled',
          UUID: 'a-b',
        },
      ],
    })
    operations['AWSEvents.DescribeRule'] = ({ Name, EventBusName }) => {
      if (Name === 'loadpath-dev-inbox' && !EventBusName) throw new AwsFault('ResourceNotFoundException')
      return { State: /-(inbox|sweep)$/.test(String(Name)) ? 'DISABLED' : 'ENABLED' }
    }
    operations['DynamoDB_20120810.DescribeTable'] = () => {
      throw new AwsFault('AccessDeniedException')
    }
    const { code, out } = await run(['check'])
    expect(code).toBe(1)
    expect(out).toContain('!!  functions')
    expect(out).toContain('      record: missing\n      notify: is Failed\n')
    expect(out).toContain('      notify: is Disabled, its mapping is a-b\n')
    expect(out).toContain(
      [
        '!!  rules           2/4',
        '      inbox: is DISABLED; aws events enable-rule --name loadpath-dev-inbox --event-bus-name loadpath-dev-inbox',
        '      sweep: is DISABLED; aws events enable-rule --name loadpath-dev-sweep',
        '',
      ].join('\n'),
    )
    expect(out).toMatch(/record, analyze-push, .*: nothing takes from it/)
    expect(out).toContain(
      'loadpath-dev-history, loadpath-dev-memory, loadpath-dev-ephemeral: AccessDeniedException',
    )
  })

  it('names an open circuit and a sweep that does not run: then not everything is up; a pause is only told', async () => {
    healthy()
    const parked = async (id: string) => {
      const key = { project: 'main', source: 's', id, subscriber: 'notify', replay: '' }
      const times = { started: here.now(), changed: here.now() }
      await here.history.mark(key, { state: 'parked', attempts: 1, emitted: [], ...times })
    }
    await Promise.all(['a', 'b'].map(parked))
    await run(['pause', 'notify'])
    const paused = await run(['check'])
    expect(paused).toMatchObject({ code: 0, out: expect.stringContaining('dev: everything is up') })
    expect(paused.out).toMatch(/\nnotify: paused since .* by .*; 2 parked\n/)
    await run(['resume', 'notify'])

    const since = here.now()
    const circuit = { downstream: '', state: 'open', since, reason: 'HTTP 503', probeAt: since, probes: 0 }
    const at = '2026-01-01T00:00:00.000Z'
    const control = await here.memory.get(controlRecord('main', 'notify'))
    const version = (control?.version ?? 0) + 1
    await here.memory.commit({
      writes: [
        { ...controlRecord('main', 'notify'), version, value: { circuits: [circuit] } },
        { ...cursorKey('main'), version: 1, value: { read: [at, at, at, at], behind: {}, at } },
      ],
      outbox: [],
    })
    const { code, out } = await run(['check'])
    expect(code).toBe(1)
    expect(out).toContain('ok  API             1/1\n!!  sweep           0/1\n')
    expect(out).toContain(`sweep: the last pass ended at ${at}`)
    expect(out).toMatch(/notify: circuit open since .*: HTTP 503; 2 parked\n/)
    expect(JSON.parse((await run(['check', '--json'])).out)).toMatchObject({
      ok: false,
      held: [{ subscriber: 'notify', circuits: [{ reason: 'HTTP 503' }], parked: 2 }],
    })
  })

  it('a stage that does not answer at all is exit code 1 too', async () => {
    const { code, out } = await run(['check', '--json'], {
      LOADPATH_STAGE: 'dev',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    })
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      parts: [
        { part: 'endpoint', have: 0, should: 1, faults: [expect.stringContaining('Nothing answers at')] },
      ],
    })
  })
})

describe('smoke', () => {
  /** Plays the handlers: whatever is delivered is done. */
  async function handleAll() {
    for (const queue of ['track-build', 'analyze-push', 'test-and-validate'])
      for (const message of here.queues.take(queue)) {
        const key = { ...identityOf(JSON.parse(message).event), subscriber: queue, replay: '' }
        const times = { started: here.now(), changed: here.now() }
        await here.history.mark(key, { state: 'done', attempts: 1, emitted: [], ...times })
      }
  }

  it('sends an event through every door and says what came of each', async () => {
    const putEvents: Record<string, unknown>[] = []
    here.operations['AWSEvents.PutEvents'] = async ({ Entries }) => {
      const [entry] = Entries as Record<string, string>[]
      putEvents.push(entry ?? {})
      const detail = JSON.parse(entry?.Detail ?? '')
      const plain = {
        id: `bus-${putEvents.length}`,
        source: entry?.Source,
        type: entry?.DetailType,
        data: detail,
      }
      await here.put('main', 'specversion' in detail ? detail : plain)
      return { Entries: [{ EventId: `bus-${putEvents.length}` }] }
    }
    const handling = setInterval(() => void handleAll(), 50)
    const { code, out, err } = await run(['smoke', '--json', '--timeout', '10s'])
    clearInterval(handling)
    const passed = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(passed.map(({ door, ok, came }) => [door, ok, came]).sort()).toEqual(
      [
        'GitHub webhook',
        'HTTP, batch',
        'HTTP, binary',
        'HTTP, structured',
        'PutEvents, CloudEvent',
        'PutEvents, plain',
      ].map((door) => [door, true, 'recorded and handled']),
    )
    expect(putEvents).toMatchObject([
      { EventBusName: 'loadpath-dev-inbox' },
      { EventBusName: 'loadpath-dev-inbox' },
    ])
  })

  it('a door that does not work is named, and exit code 1', async () => {
    here.operations['AWSEvents.PutEvents'] = () => ({
      Entries: [{ ErrorCode: 'Throttled', ErrorMessage: 'later' }],
    })
    const { code, out, err } = await run(['smoke', '--timeout', '1s'])
    expect(code).toBe(1)
    expect(out).toContain('!! PutEvents, plain      not taken: PutEvents refused it: Throttled later')
    expect(out).toMatch(/!! HTTP, structured {6}recorded; after 1 s: track-build waiting/)
    expect(err).toBe('0 of 6 doors work.\n')
  })
})

describe('logs', () => {
  const line = (timestamp: number, message: string) => ({
    timestamp,
    message,
    eventId: `${timestamp}${message}`,
    logStreamName: 's',
  })

  it('merges the functions by time; one that never ran has none; an unknown one is wrong usage', async () => {
    const now = Date.now()
    here.operations['Logs_20140328.FilterLogEvents'] = ({ logGroupName }) => {
      if (logGroupName === '/aws/lambda/loadpath-dev-record')
        return { events: [line(now - 3000, 'first\n'), line(now - 1000, 'third')] }
      if (logGroupName === '/aws/lambda/loadpath-dev-api') return { events: [line(now - 2000, 'second')] }
      if (logGroupName === '/aws/lambda/loadpath-dev-start-workflow')
        return { events: [line(now - 4000, 'began')] }
      throw new AwsFault('ResourceNotFoundException')
    }
    const { code, out } = await run(['logs', '--json'])
    expect(code).toBe(0)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((each) => JSON.parse(each)),
    ).toMatchObject([
      { function: 'start-workflow', message: 'began' },
      { function: 'record', message: 'first' },
      { function: 'api', message: 'second' },
      { function: 'record', message: 'third', time: new Date(now - 1000).toISOString() },
    ])
    expect((await run(['logs', 'record', '--grep', 'third'])).out).toMatch(/^\S+ \S+ {2}record {2}third\n$/)
    const workflow = await run(['logs', 'test-and-validate', 'redrive'])
    expect(workflow).toMatchObject({ code: 0, err: expect.stringContaining('these are of start-workflow') })
    expect(workflow.out).toMatch(/^\S+ \S+ {2}start-workflow {2}began\n$/)
    const unknown = await run(['logs', 'recrod'])
    expect(unknown.code).toBe(2)
    expect(unknown.err).toContain('recrod is no function of stage dev: there is analyze-push, api,')
  })

  it('leaves out what Lambda itself writes, unless asked', async () => {
    const lines = ['START RequestId: 1', 'done', 'REPORT RequestId: 1'].map((text) => line(Date.now(), text))
    here.operations['Logs_20140328.FilterLogEvents'] = () => ({ events: lines })
    const messages = async (...words: string[]) =>
      (await run(['logs', 'record', '--json', ...words])).out.match(/"message":"\w+/g)?.length
    expect([await messages(), await messages('--all')]).toEqual([1, 3])
  })

  it('-f goes on with what comes, each line once, and nothing from before --since', async () => {
    const lines = [line(Date.now() - 20_000, 'old'), line(Date.now(), 'one')]
    here.operations['Logs_20140328.FilterLogEvents'] = ({ startTime }) => ({
      events: lines.filter(({ timestamp }) => timestamp >= Number(startTime)),
    })
    const interruption = new AbortController()
    const seen: string[] = []
    const words = ['logs', '-f', 'record', '--since', '5s', '--json']
    await loadpath(words, {
      env: here.env,
      signal: interruption.signal,
      onOut: (text) => {
        seen.push(JSON.parse(text).message)
        if (seen.length === 1) lines.push(line(Date.now(), 'two'))
        else setTimeout(() => interruption.abort(), 2000)
      },
    })
    expect(seen).toEqual(['one', 'two'])
  })
})
