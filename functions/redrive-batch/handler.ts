import { setTimeout as sleep } from 'node:timers/promises'
import { lanesPort, plainMemoryPort, recordPorts } from '../../adapters/lambda/ports.ts'
import { task } from '../../adapters/lambda/task.ts'
import { batchInput } from '../../core/job/job-batch.ts'
import { redriveBatch } from '../../core/mend/redrive.ts'

const ports = {
  ...recordPorts(),
  memory: plainMemoryPort(),
  lanes: lanesPort(),
  pause: (milliseconds: number) => sleep(milliseconds),
}

/** Of the minute that the function has: a slice that has begun is carried to its end. */
const secondsOfSending = 5

/** One batch of a redrive -> whether there is more, and how long to wait before it. */
export const handler = task('redrive-batch', batchInput, (input) =>
  redriveBatch(input, ports, secondsOfSending),
)
