import type { StageConfig } from '../adapters/stage-config.ts'
import { asking, awsSettings } from './aws.ts'
import type { Cli } from './context.ts'

/** One kind of thing that the stage should have: how many of them are there and work, and why the others do not. */
export type Part = { part: string; have: number; should: number; faults: string[] }

export type Checked = {
  stage: string
  ok: boolean
  parts: Part[]
  /** messages per queue: waiting, being handled, delayed */
  queues: { queue: string; waiting: number; handled: number; delayed: number }[]
  backlog: number
  /** letters that nothing has drained yet, and deliveries that wait to be mended */
  deadLetters: { letters: number; deliveries: number | undefined }
  notes: string[]
}

type Found = { name: string; fault?: string }

const partOf = (part: string, found: readonly Found[]): Part => ({
  part,
  have: found.filter(({ fault }) => fault === undefined).length,
  should: found.length,
  faults: [...Map.groupBy(found, ({ fault }) => fault)].flatMap(([fault, same]) =>
    fault === undefined ? [] : [`${same.map(({ name }) => name).join(', ')}: ${fault}`],
  ),
})

const sayOf = (error: unknown): string =>
  error instanceof Error ? (error.message || error.name).replace(/\s+/g, ' ') : String(error)

/** Whether one thing is there: `ask` answers a fault, or nothing when all is well with it. */
async function each(
  names: readonly string[],
  ask: (name: string) => Promise<string | undefined>,
): Promise<Found[]> {
  return Promise.all(
    names.map(async (name): Promise<Found> => {
      try {
        const fault = await ask(name)
        return { name, ...(fault === undefined ? {} : { fault }) }
      } catch (error) {
        return {
          name,
          fault: /NotFound|NonExistent|DoesNotExist/.test(String(error)) ? 'missing' : sayOf(error),
        }
      }
    }),
  )
}

type Routes = readonly { subscriber: string; kind: string }[]

/** As they are deployed; as they are here when the API cannot say. */
async function routesOf(cli: Cli, answers: boolean): Promise<Routes> {
  if (!answers) return (await import('../events/routes.ts')).routes
  return (await (await cli.api()).routes()).items
}

/** Holds everything of a stage against what it should have. Never throws for what is not there: it says so. */
export async function checkStage(cli: Cli): Promise<Checked> {
  const stage = cli.stage()
  const parts: Part[] = []
  const result: Checked = {
    stage: stage.name,
    ok: false,
    parts,
    queues: [],
    backlog: 0,
    deadLetters: { letters: 0, deliveries: undefined },
    notes: [],
  }
  const config = await configOf(cli, parts)
  if (config !== undefined) {
    const answers = await checkApi(cli, parts, result)
    if (answers) result.deadLetters.deliveries = await deadDeliveries(cli)
    await checkResources(cli, config, await routesOf(cli, answers), result)
  }
  if (stage.local)
    result.notes.push(
      'The local endpoint saves its state only when it ends gracefully (Ctrl-C or `loadpath down`): killed, it loses all since its last start.',
    )
  if (result.deadLetters.deliveries)
    result.notes.push('Dead deliveries wait to be mended: loadpath dead list')
  result.ok = parts.every(({ have, should }) => have === should)
  return result
}

async function configOf(cli: Cli, parts: Part[]): Promise<StageConfig | undefined> {
  try {
    const config = await cli.stage().config()
    parts.push({ part: 'endpoint', have: 1, should: 1, faults: [] })
    return config
  } catch (error) {
    parts.push({ part: 'endpoint', have: 0, should: 1, faults: [sayOf(error)] })
    return undefined
  }
}

/** False when it cannot be asked further. */
async function checkApi(cli: Cli, parts: Part[], result: Checked): Promise<boolean> {
  try {
    const { parts: inside, version } = await (await cli.api()).health()
    const faults = (inside ?? []).flatMap(({ name, status, detail }) =>
      status === 'ok' ? [] : [`${name}: ${detail ?? status}`],
    )
    parts.push({ part: 'API', have: faults.length === 0 ? 1 : 0, should: 1, faults })
    result.notes.push(`The API is of version ${version}.`)
    if (inside === undefined)
      result.notes.push(
        'No API key is configured, so the API was asked for no more than whether it answers: loadpath keys create --save',
      )
    return inside !== undefined
  } catch (error) {
    parts.push({ part: 'API', have: 0, should: 1, faults: [sayOf(error)] })
    return false
  }
}

/** Up to 100 are counted. */
async function deadDeliveries(cli: Cli): Promise<number | undefined> {
  try {
    return (await (await cli.api()).deadLetters({ limit: 100 })).items.length
  } catch (error) {
    cli.note(sayOf(error))
    return undefined
  }
}

async function checkResources(cli: Cli, config: StageConfig, routes: Routes, result: Checked): Promise<void> {
  const stage = cli.stage()
  const settings = await awsSettings(stage)
  const [lambda, sqs, sfn, dynamodb] = await Promise.all([
    import('@aws-sdk/client-lambda'),
    import('@aws-sdk/client-sqs'),
    import('@aws-sdk/client-sfn'),
    import('@aws-sdk/client-dynamodb'),
  ])
  const functions = new lambda.LambdaClient(settings)
  const queues = new sqs.SQSClient(settings)
  const machines = new sfn.SFNClient(settings)
  const tables = new dynamodb.DynamoDBClient(settings)

  const queueNames = [
    'record',
    ...routes.map(({ subscriber }) => subscriber),
    'dead-letters',
    'bus-dead-letters',
  ]
  const foundFunctions = await each(Object.keys(config.functions), async (name) => {
    const asked = new lambda.GetFunctionConfigurationCommand({ FunctionName: config.functions[name] })
    const { State } = await functions.send(asked)
    return State === undefined || State === 'Active' || State === 'Inactive' ? undefined : `is ${State}`
  })
  const foundQueues = await each(queueNames, async (name) => {
    const { Attributes = {} } = await queues.send(
      new sqs.GetQueueAttributesCommand({
        QueueUrl: `${config.queuePrefix}${name}`,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    )
    const waiting = Number(Attributes.ApproximateNumberOfMessages ?? 0)
    const handled = Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0)
    const delayed = Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0)
    result.queues.push({ queue: name, waiting, handled, delayed })
    if (name.endsWith('dead-letters')) result.deadLetters.letters += waiting + handled + delayed
    else result.backlog += waiting + handled + delayed
    return undefined
  })
  const mappings = await asking(stage, async () => {
    const all: { EventSourceArn?: string | undefined; State?: string | undefined }[] = []
    for await (const page of lambda.paginateListEventSourceMappings({ client: functions }, {}))
      all.push(...(page.EventSourceMappings ?? []))
    return all
  }).catch((error: unknown) => sayOf(error))
  const foundMappings = await each([...queueNames, 'memory stream'], async (name) => {
    if (typeof mappings === 'string') return mappings
    const own = mappings.filter(({ EventSourceArn = '' }) =>
      name === 'memory stream'
        ? EventSourceArn.includes(`:table/${config.memoryTable}/stream/`)
        : EventSourceArn.endsWith(`:loadpath-${stage.name}-${name}`),
    )
    if (own.length === 0) return 'nothing takes from it'
    return own.some(
      ({ State }) => State === undefined || /^(Enabled|Enabling|Creating|Updating)$/.test(State),
    )
      ? undefined
      : `is ${own[0]?.State}`
  })
  const workflows = routes.flatMap(({ kind, subscriber }) => (kind === 'workflow' ? [subscriber] : []))
  const foundMachines = await each(workflows, async (name) => {
    const { status } = await machines.send(
      new sfn.DescribeStateMachineCommand({ stateMachineArn: `${config.stateMachinePrefix}${name}` }),
    )
    return status === 'ACTIVE' ? undefined : `is ${status}`
  })
  const foundTables = await each(
    [config.historyTable, config.memoryTable, config.ephemeralTable],
    async (name) => {
      const { Table } = await tables.send(new dynamodb.DescribeTableCommand({ TableName: name }))
      return Table?.TableStatus === 'ACTIVE' || Table?.TableStatus === 'UPDATING'
        ? undefined
        : `is ${Table?.TableStatus}`
    },
  )
  result.queues.sort((a, b) => queueNames.indexOf(a.queue) - queueNames.indexOf(b.queue))
  result.parts.push(
    partOf('functions', foundFunctions),
    partOf('queues', foundQueues),
    partOf('mappings', foundMappings),
    partOf('state machines', foundMachines),
    partOf('tables', foundTables),
  )
}
