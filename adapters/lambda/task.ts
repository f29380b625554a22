import type * as z from 'zod'
import { Failure, reasonForLogs } from '../../core/errors.ts'
import { faultsOf } from '../../core/event/versions.ts'

/**
 * A function that Step Functions invokes: its input is parsed, and what it throws arrives there under its own name, with
 * a message that names its faults (of an error, Step Functions keeps no more than name and message). The runtime logs
 * what is thrown, so that message shows no values of the input, as little as our own one line for each invocation.
 * @throws Failure Invalid when the input does not fit, and whatever `run` throws.
 */
export const task =
  <Schema extends z.ZodType, Result>(
    name: string,
    schema: Schema,
    run: (input: z.infer<Schema>) => Promise<Result>,
  ) =>
  async (input: unknown): Promise<Result> => {
    const began = performance.now()
    const line = (rest: object) =>
      console.log(JSON.stringify({ function: name, ...rest, ms: Math.round(performance.now() - began) }))
    try {
      const parsed = schema.safeParse(input)
      if (!parsed.success)
        throw new Failure('Invalid', 'the input does not fit', { faults: faultsOf(parsed.error, input, '') })
      const result = await run(parsed.data)
      line({ level: 'INFO' })
      return result
    } catch (error) {
      line({ level: 'ERROR', reason: reasonForLogs(error) })
      throw error instanceof Failure ? new Failure(error.code, reasonForLogs(error), { cause: error }) : error
    }
  }
