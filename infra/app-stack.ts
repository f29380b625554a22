// Longer than 300 lines: the one place where every part of the way of an event is joined to the next.
import { type App, Stack, type StackProps } from 'aws-cdk-lib'
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2'
import { Key } from 'aws-cdk-lib/aws-kms'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { type StageConfig, stageConfigParameter } from '../adapters/stage-config.ts'
import { mostReceives, type Route } from '../events/route.ts'
import { addAlarms, type Watched } from './alarms.ts'
import { eventsBus, inboxBus } from './constructs/buses.ts'
import * as grants from './constructs/grants.ts'
import { type Grant, HouseFunction, type HouseFunctionProps } from './constructs/house-function.ts'
import { HouseQueue, type HouseQueueProps, heldReceives } from './constructs/house-queue.ts'
import { HttpDoor } from './constructs/http-door.ts'
import { accept } from './constructs/mesh-metadata.ts'
import { notificationTopic } from './constructs/notification-topic.ts'
import { OutboxStream } from './constructs/outbox-stream.ts'
import { everyMinute, everyWeek, inboxRule, statesRule } from './constructs/rules.ts'
import { Workflow, waitsForAnswers } from './constructs/workflow.ts'
import { addDashboard } from './dashboard.ts'
import { parameterName, type Stage } from './stages.ts'
import { declareTraffic } from './traffic.ts'

/** Partition keys of memory and history, as in adapters/aws/memory-items.ts and history-items.ts. */
const keysOfKind = (kind: string) => `*#${kind}#*`
/** pauses and circuits, the jobs that send what was parked, and the events that say so */
const controlKeys = [keysOfKind('control'), keysOfKind('job'), 'outbox#*']
const laneKeys = 'lane~*'

export type AppStackProps = StackProps & {
  stage: Stage
  /** the name of the stack of the state */
  state: string
  /** the folder with one folder of code per function */
  code: string
  routes: readonly Route[]
}

/** The way of an event: doors, gate, queues, handlers, workflows, door out, and what watches them. */
export class AppStack extends Stack {
  constructor(scope: App, id: string, props: AppStackProps) {
    super(scope, id, { ...props, description: `Loadpath ${props.stage.name}: the way of an event` })
    const { stage, state, code, routes } = props
    const handlers = routes.filter(({ kind }) => kind === 'function')
    const workflows = routes.filter(({ kind }) => kind === 'workflow')

    // what the state stack keeps
    const stored = (name: string) => StringParameter.valueForStringParameter(this, parameterName(stage, name))
    const key = stage.cmk ? Key.fromKeyArn(this, 'key', stored('key')) : undefined
    const house = { stage, code, key }
    const history = grants.table(this, stage, 'history', 'HISTORY_TABLE')
    const memory = grants.table(this, stage, 'memory', 'MEMORY_TABLE')
    const ephemeral = grants.table(this, stage, 'ephemeral', 'EPHEMERAL_TABLE')
    const bodies = grants.bodies(this, stage, key)
    const webhookSecret = grants.webhookSecret(stored('webhook-secret'))

    // queues: where what failed for good lies, one for the gate, one for each subscriber
    const queue = (name: string, how: Omit<HouseQueueProps, keyof typeof house>) =>
      new HouseQueue(this, name, { ...house, ...how })
    const deadLetters = queue('dead-letters', { timeout: 30 })
    // what was in order may go nowhere else
    const orderedDeadLetters = queue('dead-letters', { timeout: 30, ordered: true })
    const busDeadLetters = queue('bus-dead-letters', { timeout: 30 })
    const record = queue('record', { timeout: 10, fails: { to: deadLetters, after: 10 } })
    const startTimeout = Math.max(0, ...workflows.map(({ timeout }) => timeout))
    const withQueue = (route: Route) => ({
      route,
      queue: queue(route.subscriber, {
        // workflows share one function that starts them
        timeout: route.kind === 'workflow' ? startTimeout : route.timeout,
        fails: route.ordered
          ? { to: orderedDeadLetters, after: heldReceives }
          : { to: deadLetters, after: mostReceives(route) },
        ordered: route.ordered,
        route,
      }),
    })
    const handled = handlers.map(withQueue)
    const run = workflows.map(withQueue)
    const subscribers = [...handled, ...run].map((subscriber) => subscriber.queue)
    const queues = grants.queues(stage, record)
    const machines = grants.machines(
      this,
      stage,
      workflows.map(({ subscriber }) => subscriber),
      waitsForAnswers,
    )

    // buses and topic
    const inbox = inboxBus(this, house)
    const events = eventsBus(this, house)
    const topic = notificationTopic(this, house)

    // what is done to them, by the methods of the ports that call it: test/templates/permissions holds both together
    const markHistory = history.may('BatchGetItem', 'PutItem', 'Query', 'UpdateItem')
    const writeHistory = history.may('BatchGetItem', 'PartiQLInsert', 'PutItem', 'Query', 'UpdateItem')
    const readLanes = history.mayOnly([laneKeys], 'GetItem')
    const keepLanes = history.mayOnly([laneKeys], 'DeleteItem', 'GetItem')
    const readMemory = memory.may('GetItem')
    const changeMemory = memory.may('GetItem', 'PutItem')
    const gateMay = [writeHistory, bodies.write, queues.send(...subscribers)]

    // the gate and its doors
    const fn = (name: string, how: Omit<HouseFunctionProps, keyof typeof house>) =>
      new HouseFunction(this, name, { ...house, ...how })
    const gate = fn('record', {
      timeout: 10,
      // more than its mapping runs at once: Lambda lets ten requests a second begin for each, and one takes 55 ms
      reserved: 40,
      canary: true,
      emits: true,
      may: [...gateMay, grants.accountProjects(stage)],
    })
    const ingest = fn('ingest', {
      timeout: 10,
      canary: true,
      emits: true,
      may: [...gateMay, queues.send(record), readMemory, ephemeral.may('GetItem', 'PutItem'), webhookSecret],
    })
    accept(
      ingest.lambda,
      'flow-through-one',
      'one gate for all that comes by HTTP is what makes identity and order hold; it keeps no state, and a new version of it takes a tenth of the traffic first',
    )
    const api = fn('api', {
      timeout: 29,
      emits: true,
      may: [
        ...gateMay,
        keepLanes,
        history.ask('open', 'order', 'trace'),
        memory.may('BatchGetItem', 'GetItem', 'PutItem'),
        memory.ask('list'),
        queues.send(record),
        queues.measure(record, ...subscribers),
        machines.watch,
        machines.stop,
      ],
    })
    const relay = fn('relay', {
      timeout: 30,
      reserved: 10,
      canary: true,
      emits: true,
      may: [...gateMay, changeMemory, memory.may('BatchWriteItem', 'Query')],
    })
    const sweep = fn('sweep', {
      timeout: 55,
      // it looks at every event once, one function for all, and what limits it is processor time
      memory: 1769,
      reserved: 1,
      emits: true,
      may: [
        ...gateMay,
        keepLanes,
        history.ask('open'),
        memory.may('BatchGetItem', 'BatchWriteItem', 'GetItem', 'PutItem', 'Query'),
        memory.ask('list'),
        queues.measure(...subscribers),
        machines.watch,
        webhookSecret,
        grants.accountProjects(stage),
      ],
    })
    const deadLetter = fn('dead-letter', {
      timeout: 30,
      emits: true,
      may: [...gateMay, readLanes, grants.accountProjects(stage)],
    })

    const validateMesh = fn('validate-mesh', {
      // the analysis takes seconds of a whole processor, and a structure ten times this size a minute
      timeout: 300,
      memory: 1769,
      emits: true,
      may: [
        grants.templates(this, [state, this.stackName]),
        memory.mayOnly([keysOfKind('mesh'), 'outbox#*'], 'GetItem', 'PutItem'),
        bodies.write,
        // the load of the last week, and how long things took
        memory.ask('list'),
        memory.mayOnly([keysOfKind('project')], 'BatchGetItem'),
        history.may('BatchGetItem', 'Query'),
        grants.metrics,
      ],
    })

    // handlers: one function for each route, and what one needs beyond what all of its effect have
    const consumerMay = [
      writeHistory,
      bodies.write,
      queues.send(record),
      ephemeral.may('GetItem', 'PutItem', 'UpdateItem'),
    ]
    // effect outside: no more than what holds a subscriber back, and what its handler needs
    const alsoMay: Readonly<Record<string, readonly Grant[]>> = {
      'resume-workflow': [memory.mayOnly([keysOfKind('approval')], 'GetItem'), machines.answer],
      notify: [grants.publish(topic)],
      publish: [grants.putEvents(events)],
    }
    const handlerFunctions = handled.map(({ route, queue: own }) => {
      const { subscriber, effect, ordered, timeout } = route
      const handler = fn(subscriber, {
        timeout,
        emits: true,
        may: [
          ...consumerMay,
          effect === 'state' ? changeMemory : memory.mayOnly(controlKeys, 'GetItem', 'PutItem'),
          ...(alsoMay[subscriber] ?? []),
          ...(ordered ? [keepLanes, queues.send(own)] : []),
        ],
      })
      own.feeds(handler, route)
      return handler
    })

    // workflows, the function that starts them and the functions that they invoke
    const startWorkflow = fn('start-workflow', {
      timeout: startTimeout,
      emits: true,
      may: [
        ...consumerMay,
        memory.mayOnly([...controlKeys, keysOfKind('run')], 'GetItem', 'PutItem'),
        machines.start,
        machines.watch,
      ],
    })
    const batchMay = [markHistory, keepLanes, changeMemory, bodies.write, queues.send(...subscribers)]
    const inOrder = subscribers.filter(({ ordered }) => ordered)
    const steps = [
      fn('collect-facts', { timeout: 30, may: [history.may('BatchGetItem'), changeMemory, bodies.read] }),
      fn('evaluate-gate', { timeout: 30, may: [] }),
      fn('request-approval', { timeout: 30, may: [changeMemory, machines.answer] }),
      fn('redrive-batch', {
        timeout: 60,
        emits: true,
        may: [...batchMay, history.ask('open'), queues.measure(...inOrder)],
      }),
      fn('replay-batch', {
        timeout: 60,
        emits: true,
        may: [
          ...batchMay,
          history.ask('open', 'order', 'trace'),
          memory.may('BatchGetItem'),
          memory.ask('list'),
          queues.measure(...subscribers),
        ],
      }),
    ]
    const stateMachines = run.map(({ route, queue: own }) => {
      own.feeds(startWorkflow, route)
      const workflow = new Workflow(this, route.subscriber, { ...house, functions: steps, record })
      if (waitsForAnswers(route.subscriber))
        accept(
          workflow.machine,
          'callback-without-heartbeat',
          "it waits for a person, of whom nothing beats; the sweep ends it when the gate's own time is over",
          'WaitForApproval',
        )
      return workflow
    })

    // what runs them
    record.feeds(gate, { batch: 10, concurrency: 20 })
    for (const letters of [deadLetters, orderedDeadLetters, busDeadLetters]) {
      letters.feeds(deadLetter, { batch: 10, concurrency: 2 })
      accept(
        letters.queue,
        'dlq-consumed',
        'each letter becomes a dead mark or a quarantine entry, which are counted, alarmed on and mended; a letter that could be put nowhere stays for 14 days',
      )
    }
    const outbox = new OutboxStream(this, 'outbox', {
      table: { tableArn: memory.arn, tableStreamArn: stored('memory-stream') },
      to: relay,
      failures: bodies.failures,
    })
    const toRecord = { stage, to: record, deadLetters: busDeadLetters }
    const statuses = statesRule(this, machines.arns, toRecord)
    const doors = [inboxRule(this, inbox, toRecord), statuses]
    const failures = { stage, deadLetters: busDeadLetters, failures: bodies.failures }
    const schedules = [everyMinute(this, sweep, failures), everyWeek(this, validateMesh, failures)]
    const http = new HttpDoor(this, 'http', {
      ...house,
      routes: [
        { method: HttpMethod.POST, path: '/events', to: ingest },
        { method: HttpMethod.POST, path: '/webhooks/github', to: ingest },
        { method: HttpMethod.POST, path: '/webhooks/github/{project}', to: ingest },
        { method: HttpMethod.GET, path: '/v1', to: api },
        { method: HttpMethod.ANY, path: '/v1/{proxy+}', to: api },
      ],
    })
    const functions = [
      gate,
      ingest,
      api,
      relay,
      sweep,
      deadLetter,
      validateMesh,
      ...handlerFunctions,
      startWorkflow,
      ...steps,
    ]
    const emitting = stateMachines.filter(({ emits }) => emits)
    record.onlyFrom({ roles: [...functions, ...emitting], rules: doors })
    busDeadLetters.onlyFrom({ roles: [], rules: [...doors, ...schedules] })
    deadLetters.onlyFrom({ roles: [] })
    orderedDeadLetters.onlyFrom({ roles: [] })

    declareTraffic({
      ...{
        routes,
        functions,
        record,
        subscribers: [...handled, ...run],
        stateMachines,
        topic,
        events,
        http,
        outbox,
        statuses,
      },
      ...{ history: history.arn, memory: memory.arn, ephemeral: ephemeral.arn, bucket: bodies.arn },
    })

    // what watches them
    const watched: Watched = {
      stage,
      topic,
      functions,
      gates: [gate, ingest, relay],
      relay,
      sweep,
      validateMesh,
      queues: { record, deadLetters, orderedDeadLetters, busDeadLetters, subscribers: [...handled, ...run] },
      stateMachines,
      http,
    }
    const alarms = addAlarms(this, watched)
    if (stage.dashboard) addDashboard(this, watched, alarms)

    // what clients read
    const config: StageConfig = {
      stage: stage.name,
      region: this.region,
      account: this.account,
      api: http.api.apiEndpoint,
      apiId: http.api.apiId,
      inboxBus: inbox.eventBusName,
      eventsBus: events.eventBusName,
      historyTable: history.tableName,
      memoryTable: memory.tableName,
      ephemeralTable: ephemeral.tableName,
      bucket: bodies.bucketName,
      queuePrefix: queues.prefix,
      stateMachinePrefix: machines.prefix,
      notificationTopic: topic.topicArn,
      webhookSecret: stored('webhook-secret'),
      functions: Object.fromEntries(functions.map(({ name, lambda }) => [name, lambda.functionName])),
    }
    new StringParameter(this, 'config', {
      parameterName: stageConfigParameter(stage.name),
      stringValue: this.toJsonString(config),
    })
  }
}
