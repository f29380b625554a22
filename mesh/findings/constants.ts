import type { Constant } from '../laws/constants.ts'

/**
 * Where the rules draw their lines; each can be overridden by its name. Dates are as those of laws/constants.ts; what AWS
 * gives no number for is a convention, of when it was set.
 */
export const findingConstants = [
  {
    name: 'visibility-per-timeout',
    value: 6,
    unit: 'function timeouts',
    dated: '2025-06',
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html',
    says: 'a queue hides a message for six timeouts of its function and the batching window, so that throttled batches can be tried again',
  },
  {
    name: 'least-receives',
    value: 3,
    unit: 'receives',
    dated: '2025-06',
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html',
    says: 'receives that were throttled count too; AWS asks for five, fewer than three has dead-lettered messages that no handler saw',
  },
  {
    name: 'least-retention',
    value: 86_400,
    unit: 's',
    dated: '2026-11',
    source:
      'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html',
    says: 'what waits through an outage of a day is still there (the default of SQS is four days)',
  },
  {
    name: 'utilisation-warning',
    value: 0.7,
    unit: 'of the limit',
    dated: '2026-11',
    source: 'M/M/1: the wait is ρ/(1-ρ) service times, 2.3 at 0.7 and doubling by 0.82',
    says: 'above it a limit has no room for what varies',
  },
  {
    name: 'flow-through-one',
    value: 0.8,
    unit: 'of the flow',
    dated: '2026-11',
    source: 'convention: one element that carries more decides about the whole',
    says: 'the part of all that comes in that may stop with one element',
  },
  {
    name: 'fair-share',
    value: 0.5,
    unit: 'of the shared limit',
    dated: '2026-11',
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html',
    says: 'what one function may take of a concurrency that is not reserved before the others run short',
  },
  {
    name: 'retry-product',
    value: 10,
    unit: 'attempts',
    dated: '2026-11',
    source: 'https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/',
    says: 'attempts that layers of retries may make of one message together',
  },
  {
    name: 'callback-silence',
    value: 3600,
    unit: 's',
    dated: '2026-11',
    source: 'https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html',
    says: 'how long a task that waits for an answer may go without a sign of life',
  },
  {
    name: 'least-copies',
    value: 2,
    unit: 'tasks',
    dated: '2026-11',
    source:
      'https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/use-fault-isolation-to-protect-your-workload.html',
    says: 'copies of a service that the failure of one host or zone leaves one of',
  },
] as const satisfies readonly Constant[]

export type ConstantName = (typeof findingConstants)[number]['name']

/** The value of each constant, with overrides by name; names of other constants are none of its business. */
export function constantsWith(overrides: Readonly<Record<string, number>>): (name: ConstantName) => number {
  const values = new Map(findingConstants.map(({ name, value }) => [name, overrides[name] ?? value]))
  return (name) => values.get(name) ?? Number.NaN
}
