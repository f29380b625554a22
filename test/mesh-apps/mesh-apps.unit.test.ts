// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is not followed is written so
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { describe, expect, it } from 'vitest'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { comprehensive } from '../../mesh/comprehensive/analyse.ts'
import { comprehensiveReport } from '../../mesh/comprehensive/report.ts'
import { load } from '../../mesh/load.ts'
import { parseLoads } from '../../mesh/loads.ts'
import { type Mesh, meshDocument } from '../../mesh/model.ts'
import type { Sample } from './app.ts'
import { bigFan } from './big-fan.ts'
import { eventbridgeEtl } from './eventbridge-etl.ts'
import { reports } from './reports.ts'
import { saga } from './saga.ts'
import { scalableWebhook } from './scalable-webhook.ts'
import { stages } from './stages.ts'

/** What `cdk synth` writes, read and forgotten again. */
function synthesized({ build }: Sample): Mesh {
  const outdir = mkdtempSync(join(tmpdir(), 'loadpath-mesh-apps-'))
  try {
    const app = new App({ outdir })
    build(app)
    app.synth()
    return meshOf(readAssembly(outdir))
  } finally {
    rmSync(outdir, { recursive: true, force: true })
  }
}

type Expected = {
  sample: Sample
  /** what cannot be followed, for good reasons */
  unresolved?: string[]
  /** of what the template alone shows: rule, where -> severity, measured, limit */
  shows: Record<string, [string, number | null, number | null]>
  /** and of what the rates show beside it */
  rates: Record<string, [string, number | null, number | null]>
  /** of limits: name and unit -> demand, limit */
  asks: Record<string, [number, number]>
}

/*
 * Each finding is there for the reason beside it, and no other is. By the guides of AWS: a queue hides a message for six
 * timeouts, and is not to be polled by more than its function has reserved; what is invoked without waiting and fails is
 * dropped without a destination; a stream holds on to what fails until it expires; a dead-letter queue keeps longer than its
 * source, and somebody watches it.
 */
const alone = (...names: string[]): Expected['shows'] =>
  Object.fromEntries(names.map((name) => [`dominator-without-alarm ${name}`, ['medium', 0, 1]]))
/** The same where only a part goes, by a permission or a filter that nobody has said the ratio of. */
const aloneOfPart = (...names: string[]): Expected['shows'] =>
  Object.fromEntries(names.map((name) => [`dominator-without-alarm ${name}`, ['low', 0, 1]]))

const apps: Record<string, Expected> = {
  'eventbridge-etl': {
    sample: eventbridgeEtl,
    // permission for every bus: which one only code says, or whoever declares what it sends
    unresolved: ['Extract', 'Load', 'Reader', 'Transform'].map(() => 'events:PutEvents on *'),
    shows: {
      ...Object.fromEntries(
        ['Load', 'Observe', 'Transform'].map((name) => [`async-without-destination ${name}`, ['high', 0, 1]]),
      ),
      // a rule without a dead-letter queue drops what Lambda refuses to take
      'delivery-without-dlq All → Observe': ['medium', 0, 1],
      'delivery-without-dlq Extracted → Transform': ['medium', 0, 1],
      'delivery-without-dlq Transformed → Load': ['medium', 0, 1],
      'no-redrive Landed': ['high', 0, 1],
      'no-partial-batch Landed → Extract': ['medium', 10, 1],
      'concurrency-short Extract': ['medium', 1250, 2],
      ...aloneOfPart('Load', 'Observe', 'Transform'),
    },
    rates: {
      // 20/s of 120 ms and of 80 ms, two at once
      'over-utilised Transform': ['high', 1.2, 0.7],
      // 1.6 of two at once; a rule does not wait, so that ten requests a second for each are no limit
      'over-utilised Load': ['medium', 0.8, 0.7],
      // five writes a second are the default of a table that says nothing
      'over-utilised TransformedData': ['high', 4, 0.7],
      ...alone('Extract', 'Landed', 'Reader'),
      // 4.9 times the mean
      'slow-against-timeout Extract': ['medium', 7.357, 3],
    },
    asks: {
      'Extract: servers': [0.15, 2],
      'Transform: servers': [2.4, 2],
      'Load: servers': [1.6, 2],
      'eventbridge-put-events/region: PutEvents': [40, 400],
    },
  },
  saga: {
    sample: saga,
    shows: {
      // the three that undo have a Retry and no Catch
      'workflow-failures-unseen Booking': ['high', 3, 0],
      ...alone('Api', 'Begin'),
    },
    rates: {},
    asks: {
      // what undoes runs when something fails: how often, nobody has said
      'lambda-concurrency/eu-west-2: servers': [4 * (0.05 + 5 * 0.3), 1000],
      'lambda-requests/eu-west-2: synchronous requests': [4 * 6, 10_000],
      'states-start/eu-west-2: requests': [4, 150],
    },
  },
  reports: {
    sample: reports,
    shows: {
      'async-without-destination Publish': ['high', 0, 1],
      'delivery-without-dlq Hourly → Rendering': ['high', 0, 1],
      'delivery-without-dlq Rendered → Publish': ['medium', 0, 1],
      // an answer that never comes: nothing ends it but the year of an execution
      'task-without-timeout Ask': ['high', 31_536_000, null],
      'task-without-timeout Tell': ['low', 31_536_000, null],
      'task-without-timeout ListAll': ['low', 31_536_000, null],
      'workflow-failures-unseen Rendering': ['high', 4, 0],
      // 40 at once by the Map, 10 reserved
      'map-unlimited RenderOne': ['medium', 40, 10],
      // the state gives up after a minute, its function goes on for two
      'timeouts-nest RenderOne → Render': ['medium', 60, 120],
      'queue-without-consumer Approvals': ['medium', 0, 1],
      ...alone('Approvals', 'List', 'Publish'),
      ...aloneOfPart('Render'),
    },
    rates: {
      'slow-against-timeout Publish': ['medium', 4.905, 3],
      'slow-against-timeout Render': ['medium', 143.7, 120],
    },
    asks: {
      // 60 an hour, of 40 s
      'Render: servers': [0.6667, 10],
    },
  },
  'scalable-webhook': {
    sample: scalableWebhook,
    shows: {
      'no-redrive Calls': ['high', 0, 1],
      'stream-poll-unbounded Messages → Heard': ['high', 0, 1],
      'concurrency-short Subscribe': ['medium', 1250, 2],
      'no-partial-batch Messages → Heard': ['medium', 100, 1],
      'no-partial-batch Calls → Subscribe': ['medium', 10, 1],
      ...alone('Heard', 'Direct', 'Endpoint', 'Publish'),
      ...aloneOfPart('Calls', 'Subscribe'),
    },
    rates: {
      // five writes a second are the default of a table that says nothing
      'over-utilised Messages': ['high', 4, 0.7],
      'flow-through-one Heard': ['low', 1, 0.8],
      'flow-through-one Publish': ['low', 0.9, 0.8],
      'flow-through-one Subscribe': ['low', 0.9, 0.8],
    },
    asks: {
      'Messages: writes': [20, 5],
      'Subscribe: servers': [1.08, 2],
      'Messages → Heard: servers': [0.2, 1],
    },
  },
  'big-fan': {
    sample: bigFan,
    unresolved: ['${parameter Seconds of Fan}'],
    shows: {
      'no-redrive Others': ['high', 0, 1],
      // shorter than one run of its function: handled twice without a failure
      'visibility-short Others': ['high', 20, 180],
      'delivery-without-dlq Events → Others': ['medium', 0, 1],
      'no-partial-batch Others → Badly': ['medium', 10, 1],
      ...alone('Api'),
      ...aloneOfPart('Badly', 'Others'),
    },
    rates: {
      'over-utilised Api': ['medium', 0.8, 0.7],
      'over-utilised Created → Well': ['medium', 0.72, 0.7],
    },
    asks: {
      'Api: requests': [40, 50],
      'Created → Well: servers': [14.4, 20],
      // 1 / (1 - 0.05) attempts of each, four to a batch, of 2 s
      'Others → Badly: servers': [2.105, 1250],
      'sns-publish/us-west-2: messages': [40, 9000],
    },
  },
  stages: {
    sample: stages,
    shows: Object.fromEntries(
      ['Beta', 'Prod'].flatMap((stage) =>
        Object.entries<[string, number | null, number | null]>({
          [`dlq-without-alarm ${stage}/Consumers/ClickLetters`]: ['high', 0, 1],
          [`dlq-without-alarm ${stage}/Data/JobLetters`]: ['high', 0, 1],
          [`dlq-retention ${stage}/Data/JobLetters`]: ['medium', 345_600, 345_600],
          ...alone(`${stage}/Services/Web/LB`, `${stage}/Services/Web/Service/Service`),
          ...aloneOfPart(
            ...['Consumers/Careless', 'Consumers/Settled', 'Data/Clicks'].map((name) => `${stage}/${name}`),
          ),
          [`no-partial-batch ${stage}/Data/Clicks → ${stage}/Consumers/Careless`]: ['medium', 100, 1],
          [`no-partial-batch ${stage}/Data/Clicks → ${stage}/Consumers/Settled`]: ['medium', 100, 1],
          // nothing is lost without a trace at the shard, for the other consumer of the stream has a queue
          [`stream-poll-unbounded ${stage}/Data/Clicks → ${stage}/Consumers/Careless`]: [
            'medium',
            86_400,
            null,
          ],
          [`service-alone ${stage}/Services/Web/Service/Service`]: ['medium', 1, 2],
        }),
      ),
    ),
    rates: {
      // 500/s in batches of 100, of 900 ms, in four shards
      'over-utilised Prod/Data/Clicks → Prod/Consumers/Careless': ['high', 1.125, 0.7],
      'slow-against-timeout Prod/Consumers/Careless': ['medium', 4.414, 3],
      'flow-through-one Prod/Services/Web/Service/Service': ['low', 0.998, 0.8],
    },
    asks: {
      'Prod/Data/Clicks → Prod/Consumers/Careless: servers': [4.5, 4],
      'Prod/Data/Clicks → Prod/Consumers/Settled: servers': [1, 8],
      'Prod/Data/Clicks: messages': [500, 4000],
    },
  },
}

/** Whole numbers as they are, others to four digits. */
const roundedOf = (value: number | null) =>
  value === null || Number.isInteger(value) ? value : Number(value.toPrecision(4))

/** Of several by one rule at one place the worst, which comes first. */
const listed = (found: ReturnType<typeof comprehensive>['findings']): Expected['shows'] =>
  Object.fromEntries(
    found
      .toReversed()
      .map((one) => [`${one.rule} ${one.name}`, [one.severity, roundedOf(one.measured), one.limit]]),
  )

describe.each(Object.entries(apps))('%s', (name, { sample, unresolved = [], shows, rates, asks }) => {
  const mesh = synthesized(sample)

  it('is read whole', async () => {
    expect(meshDocument.parse(mesh)).toEqual(mesh)
    expect(mesh.unknown).toEqual([])
    expect(mesh.unresolved.map(({ reference }) => reference)).toEqual(unresolved)
    const names = new Map(mesh.nodes.map(({ id, name: called }) => [id, called]))
    const ways = mesh.elements.map(({ kind, provenance, from, to, types }) =>
      [`${kind}, ${provenance}:`, names.get(from), '->', names.get(to), ...(types ?? [])].join(' '),
    )
    const summary = { nodes: mesh.nodes.map(({ kind, name: called }) => `${kind} ${called}`), ways }
    await expect(`${JSON.stringify(summary, null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.json`)
  })

  it('without rates has the findings that its template shows, and no others', () => {
    const report = comprehensive(load(mesh))
    expect(comprehensiveReport.parse(report)).toEqual(report)
    expect(listed(report.findings)).toEqual(shows)
    // nothing is known of what comes, but by a schedule
    const scheduled = mesh.nodes.some(({ kind }) => kind === 'schedule')
    expect(report.static.safety === null).toBe(!scheduled)
  })

  it('with rates has what the rates show beside it', () => {
    const report = comprehensive(load(mesh, parseLoads(name, sample.rates, mesh)))
    expect(comprehensiveReport.parse(report)).toEqual(report)
    const more = listed(report.findings)
    expect(Object.fromEntries(Object.entries(more).filter(([key]) => shows[key] === undefined))).toEqual(
      rates,
    )
    const used = report.static.stresses.filter(({ demand }) => demand > 0)
    expect(
      Object.fromEntries(
        used.flatMap(({ name: of, unit, demand, limit }) =>
          asks[`${of}: ${unit}`] === undefined ? [] : [[`${of}: ${unit}`, [roundedOf(demand), limit]]],
        ),
      ),
    ).toEqual(asks)
  })
})
