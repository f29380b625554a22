import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda'
import { environment } from '../../adapters/environment.ts'
import { answerOf, requestOf } from '../../adapters/lambda/http.ts'
import { tellOutcomes } from '../../adapters/lambda/outcomes.ts'
import { ingestPorts } from '../../adapters/lambda/ports.ts'
import { ingest } from '../../core/gate/ingest.ts'

const { STAGE } = environment(['STAGE'])
const ports = ingestPorts()

/** The doors that speak HTTP: POST /events and POST /webhooks/github. It answers when the record is written. */
export const handler = async (
  event: APIGatewayProxyEventV2,
  context: Context,
): Promise<APIGatewayProxyStructuredResultV2> => {
  const began = Date.now()
  const request = requestOf(event)
  const answer = await ingest(request, ports)
  const detail = { method: request.method, path: request.path, status: answer.status }
  const denied = answer.status === 401 || answer.status === 403 ? 1 : 0
  tellOutcomes(answer.outcomes, context, { stage: STAGE, began, detail, denied })
  return answerOf(answer)
}
