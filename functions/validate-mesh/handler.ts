import * as z from 'zod'
import { connect } from '../../adapters/aws/clients.ts'
import { metricTimes } from '../../adapters/aws/metric-times.ts'
import { environment } from '../../adapters/environment.ts'
import { bodiesPort, clock, historyPort, plainMemoryPort, stacksPort } from '../../adapters/lambda/ports.ts'
import { task } from '../../adapters/lambda/task.ts'
import { measuring } from '../../core/mesh/measure.ts'
import { validateMesh, weekOf } from '../../core/mesh/validate.ts'

const { STAGE, STACKS, AWS_REGION } = environment(['STAGE', 'STACKS', 'AWS_REGION'])
const structure = { stacks: STACKS.split(','), region: AWS_REGION }
// nobody waits for it, and a report is a megabyte
const aws = connect()
const memory = plainMemoryPort(aws)
const prefix = `loadpath-${STAGE}-`
const ports = {
  ...{ memory, clock },
  bodies: bodiesPort(aws),
  stacks: stacksPort(aws),
  measure: measuring({
    ...{ memory, clock },
    history: historyPort(aws),
    times: (functions, window) => metricTimes(aws, functionNames(functions), prefix, window),
    seconds: 120,
  }),
}

const functionNames = (functions: readonly string[]) =>
  Object.fromEntries(functions.map((name) => [name, `${prefix}${name}`]))

/** Of the schedule there is one run a week, however often it starts; whoever else starts one gives it a name. */
const started = z.union([
  z.object({ source: z.literal('aws.events'), time: z.iso.datetime() }).transform(({ time }) => weekOf(time)),
  z
    .object({ run: z.string().regex(/^[\w.:-]{1,80}$/, 'a name of 1 to 80 letters, digits and _ . : -') })
    .transform(({ run }) => run),
])

/** The deployed structure, its load of the last week -> what it is worth, and what changed since the last time. */
export const handler = task('validate-mesh', started, (run) => validateMesh(run, structure, ports))
