import * as z from 'zod'
import { bodiesPort, historyPort, plainMemoryPort } from '../../adapters/lambda/ports.ts'
import { task } from '../../adapters/lambda/task.ts'
import { collectFact, factName } from '../../core/domain/facts.ts'
import { workflowInput } from '../../core/frame.ts'

const ports = { history: historyPort(), memory: plainMemoryPort(), bodies: bodiesPort() }

/** The event that started a run -> one fact about the change that it is about. */
export const handler = task(
  'collect-facts',
  z.object({ fact: factName, event: workflowInput.shape.event }),
  ({ fact, event: { project, source, id } }) => collectFact(fact, { project, source, id }, ports),
)
