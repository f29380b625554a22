import { Duration } from 'aws-cdk-lib'
import { type EventBus, Match, Rule, type RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction, SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import type { IDestination } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { named, type Stage } from '../stages.ts'
import type { HouseFunction } from './house-function.ts'
import type { HouseQueue } from './house-queue.ts'

type RuleProps = { stage: Stage; to: HouseQueue; deadLetters: HouseQueue }

/** Everything that is put on the inbox bus goes to the record queue, as it is. */
export function inboxRule(scope: Construct, inbox: EventBus, { stage, to, deadLetters }: RuleProps): Rule {
  return new Rule(scope, 'inbox-rule', {
    ruleName: named(stage, 'inbox'),
    description: 'Everything on the inbox bus goes to the record queue',
    eventBus: inbox,
    eventPattern: { source: Match.prefix('') },
    targets: [new SqsQueue(to.queue, { deadLetterQueue: deadLetters.queue })],
  })
}

/** What Step Functions says about our runs goes to the record queue as a frame: from its own door, so that it may be ours. */
export function statesRule(
  scope: Construct,
  machines: readonly string[],
  { stage, to, deadLetters }: RuleProps,
): Rule {
  return new Rule(scope, 'states-rule', {
    ruleName: named(stage, 'states'),
    description: 'The status of our runs goes to the record queue',
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { stateMachineArn: [...machines] },
    },
    targets: [new SqsQueue(to.queue, { deadLetterQueue: deadLetters.queue, message: statesFrame })],
  })
}

// CDK would put the variable into quotes, and EventBridge does not escape what it puts there
const statesFrame: RuleTargetInput = {
  bind: () => ({ inputPathsMap: {}, inputTemplate: '{"door":"states","event":<aws.events.event.json>}' }),
}

/**
 * Runs a function each minute, one at a time. A tick that fails is not repeated, the next one is a minute away; what it
 * failed with lies in the bucket under `aws/lambda/`.
 */
export function everyMinute(
  scope: Construct,
  fn: HouseFunction,
  props: { stage: Stage; deadLetters: HouseQueue; failures: IDestination },
): Rule {
  fn.lambda.configureAsyncInvoke({
    retryAttempts: 0,
    maxEventAge: Duration.minutes(1),
    onFailure: props.failures,
  })
  return new Rule(scope, `${fn.name}-rule`, {
    ruleName: named(props.stage, fn.name),
    description: `Runs ${fn.name} each minute`,
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: [
      new LambdaFunction(fn.lambda, {
        deadLetterQueue: props.deadLetters.queue,
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    ],
  })
}

/**
 * Runs a function once a week, in the small hours of a Monday. What fails is tried twice more, for six hours; what it
 * failed with for good lies in the bucket under `aws/lambda/`.
 */
export function everyWeek(
  scope: Construct,
  fn: HouseFunction,
  props: { stage: Stage; deadLetters: HouseQueue; failures: IDestination },
): Rule {
  const patience = { retryAttempts: 2, maxEventAge: Duration.hours(6) }
  fn.lambda.configureAsyncInvoke({ ...patience, onFailure: props.failures })
  return new Rule(scope, `${fn.name}-rule`, {
    ruleName: named(props.stage, 'mesh-validation'),
    description: `Runs ${fn.name} each Monday`,
    schedule: Schedule.cron({ weekDay: 'MON', hour: '4', minute: '17' }),
    targets: [new LambdaFunction(fn.lambda, { deadLetterQueue: props.deadLetters.queue, ...patience })],
  })
}
