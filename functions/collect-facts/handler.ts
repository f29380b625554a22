import * as z from 'zod'
import { s3Bodies } from '../../adapters/aws/bodies.ts'
import { connect } from '../../adapters/aws/clients.ts'
import { dynamoHistory } from '../../adapters/aws/history.ts'
import { dynamoMemory } from '../../adapters/aws/memory.ts'
import { environment } from '../../adapters/environment.ts'
import { task } from '../../adapters/lambda/task.ts'
import { collectFact, factName } from '../../core/facts.ts'
import { workflowInput } from '../../core/frame.ts'
import { eventTypeNamed } from '../../events/catalogue.ts'

const { HISTORY_TABLE, MEMORY_TABLE, BUCKET } = environment(['HISTORY_TABLE', 'MEMORY_TABLE', 'BUCKET'])
const aws = connect()
const clock = () => new Date().toISOString()
const bodies = s3Bodies({ aws, bucket: BUCKET })
const memory = dynamoMemory({ aws, table: MEMORY_TABLE, clock })
const history = dynamoHistory({
  aws,
  table: HISTORY_TABLE,
  retentionOf: (type) => eventTypeNamed(type)?.retention ?? 'project',
  bodies,
  clock,
})

/** The event that started a run -> one fact about the change that it is about. */
export const handler = task(
  'collect-facts',
  z.object({ fact: factName, event: workflowInput.shape.event }),
  ({ fact, event: { project, source, id } }) =>
    collectFact(fact, { project, source, id }, { history, memory, bodies }),
)
