import {
  CloudWatchLogsClient,
  paginateFilterLogEvents,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs'
import * as z from 'zod'
import { connect } from '../../adapters/aws/clients.ts'
import { metricTimes } from '../../adapters/aws/metric-times.ts'
import type { StageConfig } from '../../adapters/stage-config.ts'
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
    else of.set(name, time)
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

const counts = z.looseObject({ DurationMs: z.number() })
/** What the lines of handlers and of the gate count each message as. */
const outcomes = [
  ...['Handled', 'Already', 'Failed', 'Dead', 'Parked', 'Held'],
  ...['Recorded', 'Known', 'Refused', 'Quarantined', 'Unavailable', 'Letters'],
]

/** undefined: it did not run. */
export function timeOf(messages: readonly string[]): Time | undefined {
  const durations = messages.flatMap((message) => {
    const [, duration] = /^REPORT .*?\tDuration: ([\d.]+) ms/.exec(message) ?? []
    return duration === undefined ? [] : [Number(duration)]
  })
  if (durations.length === 0) return undefined
  const mean = durations.reduce((sum, one) => sum + one, 0) / durations.length
  const variance = durations.reduce((sum, one) => sum + (one - mean) ** 2, 0) / durations.length
  const batches = messages.flatMap((message) => batchIn(message))
  const batch = batches.length === 0 ? undefined : batches.reduce((sum, one) => sum + one, 0) / batches.length
  return { mean, scv: mean === 0 ? 0 : variance / mean ** 2, batch, count: durations.length }
}

function batchIn(message: string): number[] {
  if (!message.startsWith('{')) return []
  const line = counts.safeParse(parsed(message)).data
  if (line === undefined) return []
  const told = outcomes.flatMap((name) => (typeof line[name] === 'number' ? [line[name]] : []))
  return told.length === 0 ? [] : [told.reduce((sum, one) => sum + one, 0)]
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
