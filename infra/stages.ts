import type { App } from 'aws-cdk-lib'
import { z } from 'zod'
import { projectName } from '../events/envelope.ts'

/** What a stage has. Constructs ask for these one by one and never for the stage's name. */
type Shape = {
  /** what `cdk destroy` does to tables and bucket */
  data: 'retain' | 'destroy'
  /** a custom resource empties the bucket before it is destroyed */
  emptiesBucket: boolean
  /** days that logs are kept */
  logDays: 7 | 14 | 30
  /** concurrency set aside for record, relay and sweep */
  reserved: boolean
  /** new versions of record, ingest and relay take a tenth of the traffic first and are rolled back by alarms on just them */
  canary: boolean
  /** alarms on more than one plain metric, such as one query over all subscribers; emulators refuse them */
  metricQueries: boolean
  /** the page of graphs; emulators make no metrics of what functions tell, so that there would be nothing on it */
  dashboard: boolean
  /** HTTP requests a second, and at once, before API Gateway answers 429 */
  throttle: { rate: number; burst: number }
}

const emulated: Shape = {
  data: 'destroy',
  emptiesBucket: false,
  logDays: 7,
  reserved: false,
  canary: false,
  metricQueries: false,
  dashboard: false,
  throttle: { rate: 10_000, burst: 5_000 },
}

const account: Shape = {
  data: 'retain',
  emptiesBucket: true,
  logDays: 14,
  reserved: true,
  canary: true,
  metricQueries: true,
  dashboard: true,
  throttle: { rate: 200, burst: 400 },
}

/** Every stage there is. `local` and `test` go to an AWS endpoint on this machine, the others to an account. */
export const stages = {
  local: emulated,
  test: emulated,
  // a new account may run ten functions at once, and lets none be set aside
  dev: { ...account, reserved: false, canary: false },
  prod: { ...account, logDays: 30, throttle: { rate: 2_000, burst: 4_000 } },
} as const satisfies Record<string, Shape>

export type StageName = keyof typeof stages

const onOff = z.enum(['on', 'off']).transform((value) => value === 'on')

/**
 * What `-c name=value` may say, described in docs/deploy.md. `projects` is JSON: AWS account -> project, for events
 * that other accounts put on the inbox bus; accounts that it does not name belong to the project `main`.
 */
const parameters = z.object({
  stage: z.literal(Object.keys(stages)).default('dev'),
  data: z.enum(['retain', 'destroy']).optional(),
  cmk: onOff.default(false),
  reserved: onOff.optional(),
  canary: onOff.optional(),
  xray: onOff.default(false),
  notify: z.email().optional(),
  projects: z
    .preprocess(
      (value, context) => {
        if (typeof value !== 'string') return value
        try {
          return JSON.parse(value)
        } catch (error) {
          context.addIssue({ code: 'custom', message: `not JSON: ${error}` })
          return z.NEVER
        }
      },
      z.record(z.string().regex(/^\d{12}$/), projectName),
    )
    .default({}),
})

export type Stage = Shape & {
  name: StageName
  /** one customer key for everything that is kept */
  cmk: boolean
  /** AWS X-Ray on functions and workflows */
  xray: boolean
  /** an address that gets what the notification topic gets */
  notify: string | undefined
  /** AWS account -> project */
  projects: Readonly<Record<string, string>>
}

const isStage = (name: string): name is StageName => name in stages

/** The stage that `-c stage=…` names, with what the other parameters change. Throws with every fault. */
export function stageOf(app: App): Stage {
  const given = Object.fromEntries(
    Object.keys(parameters.shape).map((name) => [name, app.node.tryGetContext(name)]),
  )
  const parsed = parameters.safeParse(given)
  if (!parsed.success) throw new Error(`wrong parameter (-c name=value): ${z.prettifyError(parsed.error)}`)
  const { stage: name, data, reserved, canary, cmk, xray, notify, projects } = parsed.data
  if (!isStage(name)) throw new Error(`no stage ${name}`)
  const shape: Shape = stages[name]
  if (canary && !shape.metricQueries)
    throw new Error(`wrong parameter (-c canary=on): stage ${name} has no alarms that could roll back`)
  return {
    ...shape,
    name,
    data: data ?? shape.data,
    reserved: reserved ?? shape.reserved,
    canary: canary ?? shape.canary,
    cmk,
    xray,
    notify,
    projects,
  }
}

/** The name of a resource: `loadpath-<stage>-<name>`. */
export const named = (stage: Stage, name: string): string => `loadpath-${stage.name}-${name}`

/** The name of a parameter: `/loadpath/<stage>/<name>`. */
export const parameterName = (stage: Stage, name: string): string => `/loadpath/${stage.name}/${name}`
