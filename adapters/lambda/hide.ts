import type { SQSRecord } from 'aws-lambda'
import { reasonForLogs } from '../../core/errors.ts'
import { setVisibility } from '../aws/visibility.ts'
import { queueOptions } from './ports.ts'

/** Hides a message of a queue that was received, for so many seconds from now. Does not throw. */
export type Hide = (queue: string, message: SQSRecord, seconds: number) => Promise<void>

/**
 * Hides a message of a queue that was received, for so many seconds from now. Best effort: one whose time could not be set
 * comes again after the queue's own visibility timeout.
 */
export async function hide(queue: string, { receiptHandle }: SQSRecord, seconds: number): Promise<void> {
  try {
    await setVisibility(queueOptions())(queue, receiptHandle, seconds)
  } catch (error) {
    const reason = reasonForLogs(error)
    console.warn(JSON.stringify({ level: 'WARN', message: 'visibility not set', queue, reason }))
  }
}
