import { type ApprovalTask, approvalTask } from '../../core/domain/ask-for-approval.ts'
import { isTerminal } from '../../core/errors.ts'
import type { Workflows } from '../../core/ports.ts'
import type { Chance } from './chance.ts'
import type { Lambda, SimulatedFunction } from './lambda.ts'
import type { Observed } from './observed.ts'
import type { Scheduler } from './scheduler.ts'

const minute = 60_000
/** The definition lets it wait an hour longer than the longest question. */
const longest = 30
const timeout = (longest + 60) * minute
/** As the definition has it. */
const retries = 4

/** The step of a run in which it waits for a person: the function that asks, its retries, and the token of each try. */
export function approvalSteps({
  time,
  chance,
  observed,
  ask,
  invoke,
}: {
  time: Scheduler
  chance: Chance
  observed: Observed
  /** the function that has a person asked */
  ask: () => SimulatedFunction
  invoke: Lambda['invoke']
}) {
  const waiting = new Map<string, (answer: { decision: string }) => void>()
  let count = 0

  /** `goOn`: it was answered, or nobody did in time. `fail`: nobody could be asked. */
  function wait(input: ApprovalTask['input'], goOn: () => void, fail: () => void): void {
    const run = `${input.event.project} ${input.workflow} ${input.run}`
    const approval = { question: 'well?', expiresInMinutes: chance.pick([2, 5, longest]) }
    const step = 'WaitForApproval#0'

    function attempt(left: number): void {
      // as Step Functions has it, one for each try, and only the last one is worth anything
      const token = `token ${count++}`
      let open = true
      const close = (next: () => void): void => {
        if (!open) return
        open = false
        waiting.delete(token)
        next()
      }
      waiting.set(token, ({ decision }) =>
        close(() => {
          observed.waits.set(run, { decision, at: time.now() })
          goOn()
        }),
      )
      time.after(timeout, 'nobody answers', () =>
        close(() => {
          observed.sometimes('a run waits for its approval in vain')
          observed.waits.set(run, { decision: undefined, at: time.now() })
          goOn()
        }),
      )
      invoke(ask(), approvalTask.parse({ token, step, approval, input }), (end) => {
        if ('value' in end) return
        close(() => {
          if (left === 0 || ('error' in end && isTerminal(end.error))) return fail()
          observed.sometimes('a step asks again for its approval')
          time.after(chance.between(0, 1000 * 2 ** (retries - left)), 'asks again', () => attempt(left - 1))
        })
      })
    }
    attempt(retries)
  }

  return {
    wait,
    succeedTask: (async (token, output) => {
      const answered = waiting.get(token)
      if (answered === undefined) {
        observed.sometimes('what no longer waits is answered')
        return 'gone'
      }
      answered(output as { decision: string })
      return 'answered'
    }) satisfies Workflows['succeedTask'],
  }
}
