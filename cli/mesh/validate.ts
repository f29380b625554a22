import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod'
import type { DataOf } from '../../events/event-type.ts'
import { meshValidated } from '../../events/mesh.validated.ts'
import { asking, awsSettings } from '../aws.ts'
import type { Cli } from '../context.ts'
import { CommandError } from '../faults.ts'
import { localTime, type Paint, table } from '../output.ts'

const answer = z.object({ data: meshValidated.schema })
const failure = z.object({ errorMessage: z.string() })

/** Has the stage's own function validate the mesh, by AWS credentials, and waits for what it tells. */
export async function validate(cli: Cli): Promise<void> {
  const stage = cli.stage()
  const { functions } = await stage.config()
  const name = functions['validate-mesh']
  if (name === undefined)
    throw new CommandError(`Stage ${stage.name} has no function validate-mesh: deploy it anew.`)
  // a second try would be a second run
  const client = new LambdaClient({ ...(await awsSettings(stage)), maxAttempts: 1 })
  const run = `by-hand-${new Date(cli.io.now()).toISOString().replaceAll(':', '')}`
  const { Payload, FunctionError } = await asking(stage, () =>
    client.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify({ run }) })),
  )
  const said: unknown = JSON.parse(Payload?.transformToString() || 'null')
  if (FunctionError !== undefined)
    throw new CommandError(`${name} failed: ${failure.safeParse(said).data?.errorMessage ?? FunctionError}`)
  cli.show(answer.parse(said).data, validationText)
}

function validationText(data: DataOf<typeof meshValidated>, p: Paint): string {
  const { score, system_health: health, trend, changes, worse, notes, terms, findings, report } = data
  const colour = health === 'healthy' ? p.green : health === 'failing' ? p.red : p.yellow
  const number = (value: number | null) => (value === null ? '-' : String(value))
  const rows = terms.map(({ name, demand, limit, unit, points }) => [
    ...[name, number(demand), String(limit), unit, number(points)],
  ])
  const since =
    trend === null
      ? 'the first validation'
      : `${trend.score === null ? '' : `${trend.score >= 0 ? '+' : ''}${trend.score} `}since ${localTime(trend.last)}, then ${trend.system_health}`
  return [
    `${p.bold(score === null ? 'no score' : `score ${score}`)}, ${colour(health)}, ${since}`,
    ...worse.map((line) => p.red(line)),
    ...notes.map((line) => p.dim(line)),
    '',
    table(p, ['limit state', 'asked', 'allowed', 'unit', 'points'], rows),
    '',
    `findings: ${findings.high} high, ${findings.medium} medium, ${findings.low} low`,
    ...(changes === null ? [] : [...listed('new', changes.appeared), ...listed('mended', changes.gone)]),
    p.dim(`report: ${report}.html, .md and .json in the bucket of the stage`),
  ].join('\n')
}

type Listed = NonNullable<DataOf<typeof meshValidated>['changes']>['gone']

const listed = (what: string, { items, left }: Listed): string[] => [
  ...items.map(({ severity, says }) => `${what}, ${severity}: ${says}`),
  ...(left === 0 ? [] : [`${what}: ${left} more`]),
]
