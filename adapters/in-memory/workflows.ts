import { Failure } from '../../core/errors.ts'
import type { Clock, RunDescription, Workflows } from '../../core/ports.ts'
import { copy } from './copy.ts'

export type TaskAnswer = { output: unknown } | { error: string; cause: string }

export type InMemoryWorkflows = Workflows & {
  /** Ends a run, as its definition would. */
  end(workflow: string, name: string, result: TaskAnswer): void
  /** A run begins to wait for this token; `answered` is called with what it is given. */
  ask(token: string, answered: (answer: TaskAnswer) => void): void
}

/** Runs in this process: nothing in them happens by itself, a test or simulation ends them. */
export function inMemoryWorkflows({ clock }: { clock: Clock }): InMemoryWorkflows {
  const runs = new Map<string, RunDescription>()
  const waiting = new Map<string, (answer: TaskAnswer) => void>()

  const keyOf = (workflow: string, name: string): string => `${workflow}:${name}`

  function finish(workflow: string, name: string, rest: Partial<RunDescription>): void {
    const run = runs.get(keyOf(workflow, name))
    if (run === undefined) throw new Failure('NotFound', `${workflow} has no run ${name}`)
    if (run.status === 'RUNNING') runs.set(keyOf(workflow, name), { ...run, ...copy(rest), ended: clock() })
  }

  function answer(token: string, given: TaskAnswer): 'answered' | 'gone' {
    const answered = waiting.get(token)
    if (answered === undefined) return 'gone'
    waiting.delete(token)
    answered(copy(given))
    return 'answered'
  }

  return {
    async start(workflow, name, input) {
      if (runs.has(keyOf(workflow, name))) return 'exists'
      runs.set(keyOf(workflow, name), {
        workflow,
        name,
        arn: `in-memory:${keyOf(workflow, name)}`,
        status: 'RUNNING',
        started: clock(),
        input: copy(input),
      })
      return 'started'
    },
    async stop(workflow, name, reason) {
      finish(workflow, name, { status: 'ABORTED', error: 'Stopped', cause: reason })
    },
    async describe(workflow, name) {
      return copy(runs.get(keyOf(workflow, name)))
    },
    async succeedTask(token, output) {
      return answer(token, { output })
    },
    end: (workflow, name, result) =>
      finish(workflow, name, { status: 'output' in result ? 'SUCCEEDED' : 'FAILED', ...result }),
    ask: (token, answered) => void waiting.set(token, answered),
  }
}
