import type { Loaded } from '../load.ts'
import { apiTimeout } from './api-timeout.ts'
import { arrivalsUntaken } from './arrivals-untaken.ts'
import { asyncWithoutDestination } from './async-without-destination.ts'
import { callbackWithoutHeartbeat } from './callback-without-heartbeat.ts'
import { concurrencyShort } from './concurrency-short.ts'
import { consumersCompete } from './consumers-compete.ts'
import { deliveryWithoutDlq } from './delivery-without-dlq.ts'
import { dlqConsumed } from './dlq-consumed.ts'
import { dlqRetention } from './dlq-retention.ts'
import { dlqWithoutAlarm } from './dlq-without-alarm.ts'
import { dominatorWithoutAlarm } from './dominator-without-alarm.ts'
import { expiresBeforeDeadLetter } from './expires-before-dead-letter.ts'
import { factsOf, type Rule } from './facts.ts'
import { fewReceives } from './few-receives.ts'
import { fifoThroughput } from './fifo-throughput.ts'
import type { Finding } from './finding.ts'
import { flowThroughOne } from './flow-through-one.ts'
import { functionOff } from './function-off.ts'
import { loopGain } from './loop-gain.ts'
import { loopPossible } from './loop-possible.ts'
import { mapUnlimited } from './map-unlimited.ts'
import { noPartialBatch } from './no-partial-batch.ts'
import { noRedrive } from './no-redrive.ts'
import { overUtilised } from './over-utilised.ts'
import { queueWithoutConsumer } from './queue-without-consumer.ts'
import { requestsShort } from './requests-short.ts'
import { retentionShort } from './retention-short.ts'
import { retriesMultiply } from './retries-multiply.ts'
import { ruleMatchesNothing } from './rule-matches-nothing.ts'
import { serviceAlone } from './service-alone.ts'
import { sharedConcurrency } from './shared-concurrency.ts'
import { slowAgainstTimeout } from './slow-against-timeout.ts'
import { streamPollUnbounded } from './stream-poll-unbounded.ts'
import { taskWithoutTimeout } from './task-without-timeout.ts'
import { timeoutsNest } from './timeouts-nest.ts'
import { visibilityShort } from './visibility-short.ts'
import { workflowFailuresUnseen } from './workflow-failures-unseen.ts'

/** Every rule by its id. */
export const rules = {
  'api-timeout': apiTimeout,
  'arrivals-untaken': arrivalsUntaken,
  'async-without-destination': asyncWithoutDestination,
  'callback-without-heartbeat': callbackWithoutHeartbeat,
  'concurrency-short': concurrencyShort,
  'consumers-compete': consumersCompete,
  'delivery-without-dlq': deliveryWithoutDlq,
  'dlq-consumed': dlqConsumed,
  'dlq-retention': dlqRetention,
  'dlq-without-alarm': dlqWithoutAlarm,
  'dominator-without-alarm': dominatorWithoutAlarm,
  'expires-before-dead-letter': expiresBeforeDeadLetter,
  'few-receives': fewReceives,
  'fifo-throughput': fifoThroughput,
  'flow-through-one': flowThroughOne,
  'function-off': functionOff,
  'loop-gain': loopGain,
  'loop-possible': loopPossible,
  'map-unlimited': mapUnlimited,
  'no-partial-batch': noPartialBatch,
  'no-redrive': noRedrive,
  'over-utilised': overUtilised,
  'queue-without-consumer': queueWithoutConsumer,
  'requests-short': requestsShort,
  'retention-short': retentionShort,
  'retries-multiply': retriesMultiply,
  'rule-matches-nothing': ruleMatchesNothing,
  'service-alone': serviceAlone,
  'shared-concurrency': sharedConcurrency,
  'slow-against-timeout': slowAgainstTimeout,
  'stream-poll-unbounded': streamPollUnbounded,
  'task-without-timeout': taskWithoutTimeout,
  'timeouts-nest': timeoutsNest,
  'visibility-short': visibilityShort,
  'workflow-failures-unseen': workflowFailuresUnseen,
} as const satisfies Readonly<Record<string, Rule>>

const order = { high: 0, medium: 1, low: 2 } as const

/**
 * The weaknesses of a mesh, the worst first. What is not known makes no finding: a mesh without loads has those only that its
 * template shows.
 */
export function findingsOf(loaded: Loaded): Finding[] {
  const facts = factsOf(loaded)
  const elements = new Map(loaded.mesh.elements.map((element) => [element.id, element]))
  const found = Object.entries(rules).flatMap(([rule, judge]) =>
    [...judge(facts)].map((one) => ({ rule, ...one })),
  )
  return found
    .map((one) => {
      const element = elements.get(one.at)
      const node = facts.node(element?.from ?? one.at)
      return {
        ...one,
        name: element === undefined ? (node?.name ?? one.at) : facts.nameOf(element),
        path: node?.path ?? one.at,
        ...(node?.source !== undefined && { source: node.source }),
      }
    })
    .toSorted(
      (a, b) => order[a.severity] - order[b.severity] || compared(a.rule, b.rule) || compared(a.at, b.at),
    )
}

const compared = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
