import type { Aws } from './clients.ts'

/** Hides a received message of a queue for so many seconds (0 to 43,200) from now. */
export const setVisibility =
  ({ aws, prefix }: { aws: Aws; prefix: string }) =>
  async (queue: string, receiptHandle: string, seconds: number): Promise<void> => {
    await aws.call('sqs', 'ChangeMessageVisibility', {
      QueueUrl: prefix + queue,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    })
  }
