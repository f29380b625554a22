import * as z from 'zod'
import { task } from '../../adapters/lambda/task.ts'
import { evaluateGate, facts, gate } from '../../core/domain/gates.ts'

/** One gate and the facts of a change -> how the gate came out. */
export const handler = task('evaluate-gate', z.object({ gate, facts }), async (input) =>
  evaluateGate(input.gate, input.facts),
)
