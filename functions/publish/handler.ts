import { busPublisher } from '../../adapters/aws/bus.ts'
import { environment } from '../../adapters/environment.ts'
import { consume } from '../../adapters/lambda/consume.ts'
import { aws } from '../../adapters/lambda/ports.ts'
import { publishedEvent } from '../../core/domain/published-event.ts'
import { routeTo } from '../../events/routes.ts'

/** Events of ours -> the events bus, whole, for the rules of other teams. */
export const handler = consume(routeTo('publish'), () => {
  const { EVENTS_BUS } = environment(['EVENTS_BUS'])
  const put = busPublisher({ aws, bus: EVENTS_BUS })
  return async ({ event, data, traceparent }) => {
    const { source, type, time } = event
    const detail = publishedEvent(event, data, traceparent)
    const [failure] = await put([{ source, detailType: type, detail, time }])
    if (failure !== undefined) throw failure.error
    return []
  }
})
