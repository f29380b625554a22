import type { Aws } from './clients.ts'

export type Notification = {
  /** shown by mail; SNS takes up to 99 characters of one line of ASCII, others are replaced or cut */
  subject: string
  /** at most 256 KB */
  text: string
  /** for subscription filters */
  attributes?: Readonly<Record<string, string>>
}

/** Publishes to an SNS topic; answers the message's id. */
export const topicPublisher =
  ({ aws, topic }: { aws: Aws; topic: string }) =>
  async ({ subject, text, attributes = {} }: Notification): Promise<string> => {
    const fields = Object.entries(attributes).flatMap(([name, value], index) => {
      const entry = `MessageAttributes.entry.${index + 1}`
      return [
        [`${entry}.Name`, name],
        [`${entry}.Value.DataType`, 'String'],
        [`${entry}.Value.StringValue`, value],
      ]
    })
    const answer = await aws.form('sns', {
      Action: 'Publish',
      Version: '2010-03-31',
      TopicArn: topic,
      Subject: asciiLine(subject),
      Message: text,
      ...Object.fromEntries(fields),
    })
    return /<MessageId>([^<]+)<\/MessageId>/.exec(answer)?.[1] ?? ''
  }

const asciiLine = (text: string): string => {
  const line = text.replaceAll(/[^\x20-\x7e]+/g, ' ').trim()
  return line.length < 100 ? line || 'Loadpath' : `${line.slice(0, 96)}...`
}
