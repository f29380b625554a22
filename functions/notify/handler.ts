import { topicPublisher } from '../../adapters/aws/topic.ts'
import { environment } from '../../adapters/environment.ts'
import { consume } from '../../adapters/lambda/consume.ts'
import { aws } from '../../adapters/lambda/ports.ts'
import { notificationOf } from '../../core/domain/notification.ts'
import { routeTo } from '../../events/routes.ts'

/** What a person should know at once -> one readable message on the notification topic. */
export const handler = consume(routeTo('notify'), () => {
  const { NOTIFICATION_TOPIC_ARN, STAGE } = environment(['NOTIFICATION_TOPIC_ARN', 'STAGE'])
  const publish = topicPublisher({ aws, topic: NOTIFICATION_TOPIC_ARN })
  return async (handled) => {
    const { event, type, idempotencyKey } = handled
    await publish({
      ...notificationOf(handled, STAGE),
      attributes: { project: event.project, type, idempotencykey: idempotencyKey },
    })
    return []
  }
})
