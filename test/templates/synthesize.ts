import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type Stack, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag'
import { Preflight } from 'cdk-preflight'
import { functionNames } from '../../infra/bundle.ts'
import { addStacks } from '../../infra/stacks.ts'

export type Resource = {
  Type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read templates at any depth
  Properties: Record<string, any>
  Metadata?: Record<string, unknown>
  DeletionPolicy?: string
  DependsOn?: string[]
}
export type Template = {
  Resources: Record<string, Resource>
  Parameters?: Record<string, { Default?: string }>
  Outputs?: Record<string, { Export?: unknown }>
}
export type Synthesized = { state: Template; app: Template; both: [string, Resource][] }

const root = join(import.meta.dirname, '..', '..')
export const { context: cdkContext } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))

/** One line of code per function, in place of the bundles: templates do not depend on what is in them. */
function stubs(folder: string): string {
  for (const name of functionNames()) {
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, name, 'index.mjs'), 'export const handler = () => {}\n')
  }
  return folder
}

const scratch = <T>(use: (folder: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-templates-'))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const make = (context: Record<string, string>, folder: string) => {
  const app = new App({ outdir: join(folder, 'out'), context: { ...cdkContext, ...context } })
  return { app, ...addStacks(app, stubs(join(folder, 'code'))) }
}

/** The app's templates, as `cdk synth -c …` makes them. */
export const synthesize = (context: Record<string, string>): Synthesized =>
  scratch((folder) => {
    const { app, state, backbone } = make(context, folder)
    const assembly = app.synth()
    const template = (stack: Stack): Template => assembly.getStackByName(stack.stackName).template
    const made = { state: template(state), app: template(backbone) }
    return { ...made, both: [...Object.entries(made.state.Resources), ...Object.entries(made.app.Resources)] }
  })

/** The same as `cdk synth` leaves it in a folder, which is there while it is used. */
export const assembled = <T>(context: Record<string, string>, use: (folder: string) => T): T =>
  scratch((folder) => {
    make(context, folder).app.synth()
    return use(join(folder, 'out'))
  })

type Report = { pluginReports: { violations: { ruleName: string; description: string }[] }[] }

/** What the rule packs find in the app, and in what is put beside it, as text: errors and warnings. Empty is good. */
export const findings = (context: Record<string, string>, also: (stack: Stack) => void = () => {}): string =>
  scratch((folder) => {
    const { app, backbone } = make(context, folder)
    Preflight.apply(app, { strict: true })
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app))
    also(backbone)
    try {
      app.synth()
    } catch (error) {
      if (error instanceof Error && error.name === 'ValidationFailed') return error.message
      throw error
    }
    const report: Report = JSON.parse(readFileSync(join(folder, 'out', 'validation-report.json'), 'utf8'))
    const violations = report.pluginReports.flatMap((plugin) => plugin.violations)
    return violations.map(({ ruleName, description }) => `${ruleName}: ${description}`).join('\n')
  })

const memo = new Map<string, Synthesized>()

/** The same, made once for each context and without gates. */
export function synthesized(context: Record<string, string>): Synthesized {
  const key = JSON.stringify(context)
  const made = memo.get(key) ?? synthesize(context)
  memo.set(key, made)
  return made
}

export const ofType = ({ both }: Synthesized, type: string): [string, Resource][] =>
  both.filter(([, resource]) => resource.Type === type)

/** The logical id that a Ref or GetAtt names. */
export const target = (value: { Ref?: string; 'Fn::GetAtt'?: [string, string] }): string =>
  value['Fn::GetAtt']?.[0] ?? value.Ref ?? ''

/** The function that a mapping runs, and what it invokes for that: the function or an alias of it. */
export function mapped({ both }: Synthesized, mapping: Resource['Properties']) {
  const byId = new Map(both)
  const nothing: Resource = { Type: 'nothing', Properties: {} }
  // the one that its name refers to, however it is put together
  const invoked = byId.get(/"Ref":"(\w+)"/.exec(JSON.stringify(mapping.FunctionName))?.[1] ?? '') ?? nothing
  const isAlias = invoked.Type === 'AWS::Lambda::Alias'
  return {
    invoked,
    function: isAlias ? (byId.get(target(invoked.Properties.FunctionName)) ?? nothing) : invoked,
  }
}
