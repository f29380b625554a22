import * as z from 'zod'
import { Failure } from '../../core/errors.ts'
import type { Workflows } from '../../core/ports.ts'
import { type Aws, isAwsError } from './clients.ts'

/** Seconds since 1970, as the JSON protocol has it. */
const time = z.number().transform((seconds) => new Date(seconds * 1000).toISOString())
const parsed = z.string().transform((json): unknown => JSON.parse(json))

const execution = z.object({
  executionArn: z.string(),
  status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
  startDate: time,
  stopDate: time.nullish(),
  error: z.string().nullish(),
  cause: z.string().nullish(),
  input: parsed.nullish(),
  output: parsed.nullish(),
})

/**
 * Workflows in Step Functions (Standard). `prefix` and the workflow's name are the state machine's ARN.
 * AWS answers a second start of the same name and input as the first while that still runs: 'started', once more, and
 * still one run.
 */
export function stepFunctions({ aws, prefix }: { aws: Aws; prefix: string }): Workflows {
  const arnOf = (workflow: string, name: string): string =>
    `${prefix.replace(':stateMachine:', ':execution:')}${workflow}:${name}`

  /** The three answers that say that nobody waits for this token any more. */
  async function answerTask(operation: string, input: object): Promise<'answered' | 'gone'> {
    try {
      await aws.call('states', operation, input)
      return 'answered'
    } catch (error) {
      if (isAwsError(error, 'TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken')) return 'gone'
      throw error
    }
  }

  return {
    async start(workflow, name, input) {
      try {
        await aws.call('states', 'StartExecution', {
          stateMachineArn: prefix + workflow,
          name,
          input: JSON.stringify(input),
        })
        return 'started'
      } catch (error) {
        if (isAwsError(error, 'ExecutionAlreadyExists')) return 'exists'
        throw error
      }
    },

    async stop(workflow, name, reason) {
      try {
        await aws.call('states', 'StopExecution', {
          executionArn: arnOf(workflow, name),
          error: 'Stopped',
          cause: reason,
        })
      } catch (error) {
        if (!isAwsError(error, 'ExecutionDoesNotExist')) throw error
        throw new Failure('NotFound', `${workflow} has no run ${name}`, { cause: error })
      }
    },

    async describe(workflow, name) {
      try {
        const answer = await aws.call('states', 'DescribeExecution', { executionArn: arnOf(workflow, name) })
        const { executionArn, startDate, stopDate, error, cause, status, input, output } =
          execution.parse(answer)
        return {
          workflow,
          name,
          arn: executionArn,
          status,
          started: startDate,
          ended: stopDate ?? undefined,
          error: error ?? undefined,
          cause: cause ?? undefined,
          input: input ?? undefined,
          output: output ?? undefined,
        }
      } catch (error) {
        if (isAwsError(error, 'ExecutionDoesNotExist')) return undefined
        throw error
      }
    },

    succeedTask: (taskToken, output) =>
      answerTask('SendTaskSuccess', { taskToken, output: JSON.stringify(output) }),
  }
}
