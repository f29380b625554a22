import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { githubPush } from '../events/github.push.ts'
import { testCompleted } from '../events/test.completed.ts'
import type { Why } from './answers.ts'
import type { Api } from './api.ts'
import { asking, awsSettings } from './aws.ts'
import { ApiError } from './client.ts'
import type { Cli } from './context.ts'
import { githubSecret } from './environment.ts'
import { CommandError } from './faults.ts'
import { pause } from './io.ts'

/** What came of the event that went through one door. */
export type Passed = {
  door: string
  ok: boolean
  /** one sentence */
  came: string
  source?: string
  id?: string
  milliseconds?: number
  deliveries: { subscriber: string; state: string; run?: string; reason?: string }[]
}

type Sent = { id: string; source: string }
type Door = { door: string; send: (cli: Cli, api: Api) => Promise<Sent> }

/** A repository that nobody has, so that it disturbs nobody; each door has a branch of its own. */
const repository = 'loadpath/smoke'

const tested = (branch: string) => ({
  ...testCompleted.example,
  repository,
  branch,
  commit: randomBytes(20).toString('hex'),
  suite: 'smoke',
})

const cloudEvent = (branch: string) => ({
  specversion: '1.0',
  id: randomUUID(),
  source: 'urn:loadpath:smoke',
  type: testCompleted.type,
  data: tested(branch),
})

const doors: readonly Door[] = [
  {
    door: 'HTTP, structured',
    send: async (_, api) => {
      const event = cloudEvent('smoke-structured')
      await api.putEvent(event)
      return event
    },
  },
  {
    door: 'HTTP, binary',
    send: async (_, api) => {
      const { data, ...attributes } = cloudEvent('smoke-binary')
      await api.putBinary(attributes, data)
      return attributes
    },
  },
  {
    door: 'HTTP, batch',
    send: async (_, api) => {
      const event = cloudEvent('smoke-batch')
      const [answer] = await api.putEvents([event])
      if (answer === undefined || 'title' in answer)
        throw new CommandError(String(answer?.detail ?? answer?.title))
      return event
    },
  },
  { door: 'GitHub webhook', send: sendPush },
  {
    door: 'PutEvents, plain',
    send: async (cli) => {
      const source = 'loadpath.smoke'
      return { source, id: await putEvents(cli, source, tested('smoke-plain')) }
    },
  },
  {
    door: 'PutEvents, CloudEvent',
    send: async (cli) => {
      const event = cloudEvent('smoke-cloudevent')
      await putEvents(cli, 'loadpath.smoke', event)
      return event
    },
  },
]

/** A push of a commit that nobody has seen: the same signed body is not run twice. */
async function sendPush(cli: Cli, api: Api): Promise<Sent> {
  const id = randomUUID()
  const { example } = githubPush
  const commit = randomBytes(20).toString('hex')
  const body = JSON.stringify({
    ...example,
    ref: 'refs/heads/smoke',
    after: commit,
    commits: example.commits.map((each) => ({ ...each, id: commit })),
    repository: { full_name: repository, default_branch: 'smoke' },
  })
  const signature = createHmac('sha256', await githubSecret(cli))
    .update(body)
    .digest('hex')
  await api.github(
    {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
  )
  return { id, source: `https://github.com/${repository}` }
}

/** Onto the inbox bus, as other systems do; answers EventBridge's id. */
async function putEvents(cli: Cli, source: string, detail: unknown): Promise<string> {
  const stage = cli.stage()
  const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge')
  const client = new EventBridgeClient(await awsSettings(stage))
  const { inboxBus } = await stage.config()
  const entry = {
    EventBusName: inboxBus,
    Source: source,
    DetailType: testCompleted.type,
    Detail: JSON.stringify(detail),
  }
  const { Entries } = await asking(stage, () => client.send(new PutEventsCommand({ Entries: [entry] })))
  const [answer] = Entries ?? []
  if (answer?.EventId === undefined)
    throw new CommandError(`PutEvents refused it: ${answer?.ErrorCode} ${answer?.ErrorMessage}`)
  return answer.EventId
}

/** Sends one event through every door, at once, and waits at most `timeout` (milliseconds) for what comes of each. */
export async function smokeTest(
  cli: Cli,
  timeout: number,
  told: (passed: Passed) => void,
): Promise<Passed[]> {
  const api = await cli.api()
  return Promise.all(
    doors.map(async (door) => {
      const passed = await through(cli, api, door, timeout)
      told(passed)
      return passed
    }),
  )
}

async function through(cli: Cli, api: Api, { door, send }: Door, timeout: number): Promise<Passed> {
  const began = cli.io.now()
  let sent: Sent
  try {
    sent = await send(cli, api)
  } catch (error) {
    const came = `not taken: ${error instanceof Error ? error.message : String(error)}`
    return { door, ok: false, came, deliveries: [] }
  }
  const { source, id } = sent
  try {
    const fate = await settled(cli, api, sent, began + timeout)
    return { door, source, id, milliseconds: cli.io.now() - began, ...verdict(fate, timeout) }
  } catch (error) {
    const came = error instanceof Error ? error.message : String(error)
    return { door, source, id, ok: false, came, deliveries: [] }
  }
}

/** Its fate as soon as nothing of it is open, or as it is at the deadline; undefined: it is not recorded. */
async function settled(cli: Cli, api: Api, { id, source }: Sent, deadline: number): Promise<Why | undefined> {
  for (let wait = 100; ; wait = Math.min(wait * 1.5, 2000)) {
    const fate = await fateOf(api, id, source)
    if (cli.io.now() > deadline) return fate
    if (fate?.deliveries.every(isOver)) return fate
    await pause(wait, cli.io.interrupted())
    if (cli.io.interrupted().aborted) return fate
  }
}

const isOver = ({ state, run }: Why['deliveries'][number]): boolean =>
  /^(done|dead|dropped)$/.test(state) && !/^(starting|running)$/.test(run?.status ?? '')

async function fateOf(api: Api, id: string, source: string): Promise<Why | undefined> {
  try {
    return await api.why(id, source)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}

function verdict(fate: Why | undefined, timeout: number): Pick<Passed, 'ok' | 'came' | 'deliveries'> {
  const seconds = `${timeout / 1000} s`
  if (fate === undefined)
    return {
      ok: false,
      came: `taken, and not recorded within ${seconds} (in this key's project)`,
      deliveries: [],
    }
  const deliveries = fate.deliveries.map(({ subscriber, state, run, reason }) => ({
    subscriber,
    state,
    ...(run === undefined ? {} : { run: run.status }),
    ...(reason === undefined ? {} : { reason }),
  }))
  const bad = deliveries.filter(
    ({ state, run }) => state !== 'done' || (run !== undefined && run !== 'succeeded'),
  )
  if (deliveries.length === 0)
    return { ok: false, came: 'recorded, and no subscriber expects it', deliveries }
  if (bad.length === 0) return { ok: true, came: 'recorded and handled', deliveries }
  const why = bad.map(({ subscriber, state, run, reason }) =>
    [subscriber, state === 'done' ? `run ${run}` : state, reason].filter(Boolean).join(' '),
  )
  return { ok: false, came: `recorded; after ${seconds}: ${why.join('; ')}`, deliveries }
}
