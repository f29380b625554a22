import {
  CloudWatchLogsClient,
  paginateFilterLogEvents,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs'
import * as z from 'zod'
import { connect } from '../../adapters/aws/clients.ts'
import { metricTimes } from '../../adapters/aws/metric-times.ts'
import type { StageConfig } from '../../adapters/stage-config.ts'
import { eachOf } from '../../core/mesh/service-time.ts'
import { asking, awsSettings } from '../aws.ts'
import type { Stage } from '../stage.ts'
import type { Time, Times } from './rates-file.ts'

type Window = { since: string; until: string }

/** So many pages of a log are read; the beginning of a window stands for it. */
const mostPages = 40

/** How long invocations took by what Lambda reports of each, and how many messages they had by their own line. */
export async function timesByLogs(stage: Stage, { functions }: StageConfig, window: Window): Promise<Times> {
  const client = new CloudWatchLogsClient(await awsSettings(stage))
  const notes: string[] = []
  const of = new Map<string, Time>()
  const read = async ([name, functionName]: [string, string]) => {
    const { messages, isWhole } = await logOf(client, functionName, window)
    const time = timeOf(messages)
    if (time === undefined) notes.push(`${name} did not run.`)
    else {
      of.set(name, time)
      if (time.note !== undefined) notes.push(`${name}: ${time.note}`)
    }
    if (!isWhole) notes.push(`${name}: of its log only the first ${messages.length} lines were read.`)
  }
  await asking(stage, () => Promise.all(Object.entries(functions).toSorted().map(read)))
  return { of: new Map([...of].toSorted()), from: 'the logs of functions', notes: notes.toSorted() }
}

async function logOf(client: CloudWatchLogsClient, functionName: string, { since, until }: Window) {
  const messages: string[] = []
  const [startTime, endTime] = [Date.parse(since), Date.parse(until)]
  let pages = 0
  try {
    const asked = { logGroupName: `/aws/lambda/${functionName}`, startTime, endTime }
    for await (const { events = [] } of paginateFilterLogEvents({ client }, asked)) {
      messages.push(...events.map(({ message = '' }) => message))
      if (++pages === mostPages) return { messages, isWhole: false }
    }
  } catch (error) {
    // a function that never ran has no log group yet
    if (!(error instanceof ResourceNotFoundException)) throw error
  }
  return { messages, isWhole: true }
}

const counts = z.looseObject({ requestId: z.string(), DurationMs: z.number() })
/** What the lines of handlers and of the gate count each message as. */
const outcomes = [
  ...['Handled', 'Already', 'Failed', 'Dead', 'Parked', 'Held', 'Contended'],
  ...['Recorded', 'Known', 'Refused', 'Quarantined', 'Unavailable', 'Letters'],
]

type Invocation = { ms: number; begun: number | undefined; messages: number | undefined }

/**
 * undefined: it did not run. An invocation that began an environment takes many times as long, and how many do says how the
 * load came and not how much of it there is: where there are others, only these count.
 */
export function timeOf(messages: readonly string[]): (Time & { note: string | undefined }) | undefined {
  const all = invocationsIn(messages)
  if (all.length === 0) return undefined
  const begun = all.filter((one) => one.begun !== undefined)
  const counted = begun.length < all.length ? all.filter((one) => one.begun === undefined) : all
  const mean = meanOf(counted.map(({ ms }) => ms))
  const variance = meanOf(counted.map(({ ms }) => (ms - mean) ** 2))
  const batches = counted.flatMap(({ ms, messages: n }) =>
    n === undefined ? [] : [{ ms, messages: n, count: 1 }],
  )
  const batch = batches.length === 0 ? undefined : meanOf(batches.map((one) => one.messages))
  const whole = begun.length === 0 ? 0 : Math.round(meanOf(begun.map(({ ms, begun: init = 0 }) => ms + init)))
  return {
    ...{ mean, scv: mean === 0 ? 0 : variance / mean ** 2, batch, each: eachOf(batches) },
    ...{ count: all.length, begun: { count: begun.length, ms: whole } },
    note:
      begun.length === 0
        ? undefined
        : `${begun.length} of ${all.length} invocations began an environment and took ${whole} ms with it${counted === all ? '' : '; they are in no mean'}.`,
  }
}

const meanOf = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length

function invocationsIn(messages: readonly string[]): Invocation[] {
  const batches = new Map(messages.flatMap((message) => batchIn(message)))
  return messages.flatMap((message) => {
    const [, id, ms] = /^REPORT RequestId: (\S+)\tDuration: ([\d.]+) ms/.exec(message) ?? []
    if (id === undefined) return []
    const [, begun] = /\tInit Duration: ([\d.]+) ms/.exec(message) ?? []
    const init = begun === undefined ? undefined : Number(begun)
    return [{ ms: Number(ms), begun: init, messages: batches.get(id) }]
  })
}

/** How many messages an invocation had, by its own line. */
function batchIn(message: string): [string, number][] {
  if (!message.startsWith('{')) return []
  const line = counts.safeParse(parsed(message)).data
  if (line === undefined) return []
  const told = outcomes.flatMap((name) => (typeof line[name] === 'number' ? [line[name]] : []))
  return told.length === 0 ? [] : [[line.requestId, told.reduce((sum, one) => sum + one, 0)]]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // a line that was cut off
    return undefined
  }
}

/** The same by CloudWatch's metrics: two calls for each function and one for each queue. */
export async function timesByMetrics(
  stage: Stage,
  { functions, queuePrefix }: StageConfig,
  window: Window,
  region: string,
): Promise<Times> {
  const { credentials, endpoint } = new CloudWatchLogsClient(await awsSettings(stage)).config
  const address = await endpoint?.()
  const aws = connect({
    region,
    credentials: () => credentials(),
    ...(address && { endpoint: `${address.protocol}//${address.hostname}:${address.port ?? 80}` }),
  })
  const prefix = queuePrefix.split('/').at(-1) ?? ''
  return asking(stage, () => metricTimes(aws, functions, prefix, window))
}
