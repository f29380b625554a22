import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { inMemoryBodies } from '../../adapters/in-memory/bodies.ts'
import { inMemoryMemory } from '../../adapters/in-memory/memory.ts'
import { inMemoryStacks } from '../../adapters/in-memory/stacks.ts'
import { type AppOptions, loadedApp } from '../../cli/mesh/app.ts'
import { validateMesh } from '../../core/mesh/validate.ts'
import { comprehensive } from '../../mesh/comprehensive/analyse.ts'
import { type ComprehensiveReport, comprehensiveReport } from '../../mesh/comprehensive/report.ts'
import { noLoads, parseLoads } from '../../mesh/loads.ts'
import { assembled } from './synthesize.ts'

/** What a clone says of the app before it is deployed, and what the stage says of it each week. */

const region = 'eu-central-1'
const stacks = ['Loadpath-prod-State', 'Loadpath-prod-App']
const rates = join(import.meta.dirname, '../../infra/mesh.yaml')

const there = inMemoryStacks()
const clone: { underRates?: ComprehensiveReport; withoutRates?: ComprehensiveReport } = {}
// the CDK's command line writes construct paths into them
const context = { stage: 'prod', 'aws:cdk:enable-path-metadata': 'true' }
beforeAll(
  () =>
    assembled(context, (folder) => {
      for (const name of stacks)
        there.deploy(name, JSON.parse(readFileSync(join(folder, `${name}.template.json`), 'utf8')))
      const analysed = (also: AppOptions) => {
        return comprehensive(loadedApp({ note: () => {} }, { app: [folder], region, ...also }))
      }
      Object.assign(clone, { underRates: analysed({ rates }), withoutRates: analysed({}) })
    }),
  60_000,
)

async function deployed(given?: unknown): Promise<ComprehensiveReport> {
  const clock = () => '2026-11-16T04:17:03.000Z'
  const [memory, bodies] = [inMemoryMemory({ clock }), inMemoryBodies()]
  const { data } = await validateMesh(
    'a',
    { stacks, region },
    {
      ...{ memory, bodies, stacks: there, clock },
      measure: async (mesh) => ({
        loads: given === undefined ? noLoads : parseLoads('what was measured', given, mesh),
        unknown: [],
      }),
    },
  )
  const report = await bodies.get(`${data.report}.json`)
  return comprehensiveReport.parse(JSON.parse(Buffer.from(report ?? '').toString()))
}

/** What is decided; which line of the code made a part only the synthesized app says. */
const verdict = ({ score, system_health, findings, accepted, needless }: ComprehensiveReport) => ({
  ...{ score, system_health, needless },
  findings: findings.map(({ source, ...finding }) => finding),
  accepted: accepted.map(({ source, ...finding }) => finding),
})

it('under the same rates both find the same, accept the same and give the same score', async () => {
  const week = verdict(await deployed(parse(readFileSync(rates, 'utf8'))))
  expect(week).toEqual(verdict(comprehensiveReport.parse(clone.underRates)))
  expect(week).toMatchObject({ findings: [], needless: [] })
  expect(week.accepted.length).toBeGreaterThan(0)
})

it('also where nothing is known of the load', async () => {
  expect(verdict(await deployed())).toEqual(verdict(comprehensiveReport.parse(clone.withoutRates)))
})
