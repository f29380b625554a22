import {
  CloudWatchLogsClient,
  paginateFilterLogEvents,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs'
import { asking, awsSettings } from './aws.ts'
import type { Cli } from './context.ts'
import { UsageError } from './faults.ts'
import { patiently } from './follow.ts'
import { pause } from './io.ts'
import { clockMillis, localTime } from './output.ts'

export type LogOptions = { follow?: boolean; since: number; grep?: string; all?: boolean }

type Line = { time: string; function: string; message: string }

const everyMilliseconds = 1500
/** the function that takes from the queues of workflows */
const starter = 'start-workflow'
/** A line may show up this much later than its own time says. */
const lateness = 30_000
/** What Lambda itself writes around each invocation. */
const platform = /^(INIT_START|START|END|REPORT) /

/** Prints the lines of the functions' log groups by time, and with `follow` those that come, until interrupted. */
export async function printLogs(
  cli: Cli,
  names: readonly string[],
  { follow, since, grep, all }: LogOptions,
): Promise<void> {
  const stage = cli.stage()
  const { functions } = await stage.config()
  const workflows: string[] = (await import('../events/routes.ts')).routes.flatMap(({ kind, subscriber }) =>
    kind === 'workflow' ? [subscriber] : [],
  )
  const own = names.map((name) => (workflows.includes(name) ? starter : name))
  const chosen = names.length === 0 ? Object.keys(functions) : [...new Set(own)]
  for (const name of chosen)
    if (functions[name] === undefined)
      throw new UsageError(
        `${name} is no function of stage ${stage.name}: there is ${Object.keys(functions).sort().join(', ')}`,
      )
  if (own.includes(starter) && !names.includes(starter))
    cli.note(`Workflows have no logs of their own: these are of ${starter}, which begins their runs.`)
  const client = new CloudWatchLogsClient(await awsSettings(stage))
  const width = Math.max(...chosen.map((name) => name.length))
  const seen = new Map<string, number>()
  const printSince = async (from: number) => {
    const found = await asking(stage, () =>
      Promise.all(chosen.map((name) => read(client, name, `/aws/lambda/${functions[name]}`, from))),
    )
    for (const { key, line } of found.flat().sort((a, b) => (a.line.time < b.line.time ? -1 : 1))) {
      if (seen.has(key)) continue
      seen.set(key, Date.parse(line.time))
      if ((all || !platform.test(line.message)) && line.message.includes(grep ?? '')) print(cli, line, width)
    }
  }

  const start = cli.io.now() - since
  await printSince(start)
  if (!follow) return
  const signal = cli.io.interrupted()
  const patient = patiently(cli)
  for (;;) {
    await pause(everyMilliseconds, signal)
    if (signal.aborted) return
    const from = Math.max(cli.io.now() - lateness, start)
    for (const [key, time] of seen) if (time < from - lateness) seen.delete(key)
    await patient(() => printSince(from))
  }
}

const print = (cli: Cli, line: Line, width: number): void =>
  cli.stream(line, ({ time, function: name, message }, p) =>
    [p.dim(`${localTime(time).slice(0, 10)} ${clockMillis(time)}`), p.cyan(name.padEnd(width)), message].join(
      '  ',
    ),
  )

async function read(client: CloudWatchLogsClient, name: string, logGroupName: string, startTime: number) {
  const lines: { key: string; line: Line }[] = []
  try {
    for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName, startTime }))
      for (const { timestamp = 0, message = '', eventId, logStreamName } of events) {
        const line = { time: new Date(timestamp).toISOString(), function: name, message: message.trimEnd() }
        lines.push({ key: eventId ?? [name, logStreamName, timestamp, message].join(' '), line })
      }
  } catch (error) {
    // a function that never ran has no log group yet
    if (!(error instanceof ResourceNotFoundException)) throw error
  }
  return lines
}
