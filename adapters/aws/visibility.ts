import { type QueueOptions, queueUrl } from './queues.ts'

/** Hides a received message of a queue for so many seconds (0 to 43,200) from now. */
export const setVisibility =
  ({ aws, ...names }: QueueOptions) =>
  async (queue: string, receiptHandle: string, seconds: number): Promise<void> => {
    await aws.call('sqs', 'ChangeMessageVisibility', {
      QueueUrl: queueUrl(names, queue),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    })
  }
