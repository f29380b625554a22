import * as z from 'zod'
import { connect } from '../../adapters/aws/clients.ts'
import { environment } from '../../adapters/environment.ts'
import { bodiesPort, clock, plainMemoryPort, stacksPort } from '../../adapters/lambda/ports.ts'
import { task } from '../../adapters/lambda/task.ts'
import { measure } from '../../core/mesh/measure.ts'
import { validateMesh, weekOf } from '../../core/mesh/validate.ts'

const { STACKS, AWS_REGION } = environment(['STACKS', 'AWS_REGION'])
const structure = { stacks: STACKS.split(','), region: AWS_REGION }
// nobody waits for it, and a report is a megabyte
const aws = connect()
const ports = {
  memory: plainMemoryPort(aws),
  bodies: bodiesPort(aws),
  stacks: stacksPort(aws),
  clock,
  measure,
}

/** Of the schedule there is one run a week, however often it starts; whoever else starts one gives it a name. */
const started = z.union([
  z.object({ source: z.literal('aws.events'), time: z.iso.datetime() }).transform(({ time }) => weekOf(time)),
  z
    .object({ run: z.string().regex(/^[\w.:-]{1,80}$/, 'a name of 1 to 80 letters, digits and _ . : -') })
    .transform(({ run }) => run),
])

/** The deployed structure, its load of the last week -> what it is worth, and what changed since the last time. */
export const handler = task('validate-mesh', started, (run) => validateMesh(run, structure, ports))
