import * as z from 'zod'
import { projectName } from '../events/envelope.ts'

/** The variables that functions and servers are configured by; infra sets each together with its grant. */
export const variables = [
  'STAGE',
  'AWS_REGION',
  'HISTORY_TABLE',
  'MEMORY_TABLE',
  'EPHEMERAL_TABLE',
  'BUCKET',
  /** a queue's URL is this plus `record` or the subscriber's name */
  'QUEUE_PREFIX',
  /** a state machine's ARN is this plus the workflow's name */
  'STATE_MACHINE_PREFIX',
  'NOTIFICATION_TOPIC_ARN',
  'EVENTS_BUS',
  /** JSON secret: current and previous secret of each webhook source and project */
  'WEBHOOK_SECRET_ARN',
  /** JSON: AWS account -> project, for events put on the inbox bus */
  'ACCOUNT_PROJECTS',
  /** the names of our CloudFormation stacks, with commas between them */
  'STACKS',
] as const
export type Variable = (typeof variables)[number]

type Source = Readonly<Record<string, string | undefined>>

/** Reads variables once, at start; a missing one throws by its name. `source`: process.env unless said. */
export function environment<const Names extends readonly Variable[]>(
  names: Names,
  source?: Source,
): { readonly [Name in Names[number]]: string }
export function environment(
  names: readonly Variable[],
  source: Source = process.env,
): Record<string, string> {
  const missing = names.filter((name) => !source[name])
  if (missing.length > 0) throw new Error(`missing environment variable: ${missing.join(', ')}`)
  return Object.fromEntries(names.map((name) => [name, source[name] ?? '']))
}

/** The account map, as infra writes it. */
export const accountProjects = (json: string): Record<string, string> =>
  z.record(z.string(), projectName).parse(JSON.parse(json))
