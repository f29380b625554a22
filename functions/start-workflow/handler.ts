import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { environment } from '../../adapters/environment.ts'
import { handleBatch } from '../../adapters/lambda/consume.ts'
import { hide } from '../../adapters/lambda/hide.ts'
import { consumePorts, plainMemoryPort, workflowsPort } from '../../adapters/lambda/ports.ts'
import { startRun } from '../../core/domain/start-run.ts'
import type { Route } from '../../events/route.ts'
import { routes } from '../../events/routes.ts'

const { STAGE } = environment(['STAGE'])
const ports = { memory: plainMemoryPort(), workflows: workflowsPort() }
const workflows: readonly Route[] = routes.filter(({ kind }) => kind === 'workflow')

/** The queues of all workflows; a batch is always of one queue, which is named after its workflow. */
export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const queue = event.Records[0]?.eventSourceARN.split(':').at(-1)
  const route = workflows.find(({ subscriber }) => queue === `loadpath-${STAGE}-${subscriber}`)
  if (route === undefined) throw new Error(`${queue} is no workflow's queue`)
  return handleBatch(
    route,
    (handled) => startRun(route.subscriber, handled, ports),
    { ...consumePorts(route), hide },
    event,
    context,
  )
}
