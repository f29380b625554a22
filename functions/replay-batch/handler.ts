import { lanesPort, newId, plainMemoryPort, recordPorts } from '../../adapters/lambda/ports.ts'
import { task } from '../../adapters/lambda/task.ts'
import { batchInput } from '../../core/job/job-batch.ts'
import { replayBatch } from '../../core/replay/replay-batch.ts'

const ports = { ...recordPorts(), memory: plainMemoryPort(), lanes: lanesPort(), newId }

/** Of the minute that the function has: a slice that has begun is carried to its end. */
const secondsOfWork = 20

/** One batch of a replay or a rebuild -> whether there is more, and how long to wait before it. */
export const handler = task('replay-batch', batchInput, (input) => replayBatch(input, ports, secondsOfWork))
