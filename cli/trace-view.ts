import type { Trace, TraceNode } from './answers.ts'
import { asWhom, releasedText } from './fate-view.ts'
import { clockMillis, count, localTime, type Paint, span, state } from './output.ts'

/** A line of the tree and what hangs below it. */
type Branch = { text: string; below: Branch[] }

/** A story as a tree with times: events, the deliveries of each, their runs, and the events that came of them. */
export function traceText({ story, events, roots, next }: Trace, p: Paint): string {
  const start = Math.min(...roots.map(({ event }) => Date.parse(event.received)))
  const since = (iso: string) => {
    const passed = Date.parse(iso) - start
    return p.dim(`${passed < 0 ? '-' : '+'}${span(passed)}`)
  }
  const totals = total(roots)
  const end = Math.max(start, ...totals.times)
  const heading = [
    `story ${p.bold(story)}`,
    [
      count(events, 'event'),
      count(totals.deliveries, 'delivery', 'deliveries'),
      ...(totals.runs === 0 ? [] : [count(totals.runs, 'run')]),
      ...(Number.isFinite(start)
        ? [`${span(end - start)} from ${localTime(new Date(start).toISOString())}`]
        : []),
    ].join(', '),
  ]
  const lines = roots.flatMap((root) => ['', ...draw(eventBranch(root, p, since))])
  return [
    ...heading,
    ...lines,
    ...(next === undefined ? [] : ['', p.dim('The story is longer: --all')]),
  ].join('\n')
}

function total(nodes: readonly TraceNode[]): { deliveries: number; runs: number; times: number[] } {
  const sums = nodes.map(({ event, deliveries, caused }) => {
    const below = total([...deliveries.flatMap(({ emitted }) => emitted), ...caused])
    const own = [event.received, ...deliveries.flatMap(({ changed, run }) => [changed, run?.ended])]
    return {
      deliveries: deliveries.length + below.deliveries,
      runs: deliveries.filter(({ run }) => run !== undefined).length + below.runs,
      times: [...own.flatMap((time) => (time === undefined ? [] : [Date.parse(time)])), ...below.times],
    }
  })
  return {
    deliveries: sums.reduce((sum, { deliveries }) => sum + deliveries, 0),
    runs: sums.reduce((sum, { runs }) => sum + runs, 0),
    times: sums.flatMap(({ times }) => times),
  }
}

type Since = (iso: string) => string

const eventBranch = ({ event, deliveries, caused }: TraceNode, p: Paint, since: Since): Branch => ({
  text: [
    p.bold(event.type),
    event.id,
    p.dim(`${clockMillis(event.received)}`),
    since(event.received),
    ...(event.duplicateof === undefined ? [] : [p.yellow(`the same as ${event.duplicateof}`)]),
    ...(event.released === undefined ? [] : [p.yellow(`released ${releasedText(event.released)}`)]),
  ].join('  '),
  below: [
    ...deliveries.map((delivery) => deliveryBranch(delivery, p, since)),
    ...caused.map((node) => eventBranch(node, p, since)),
  ],
})

const deliveryBranch = (delivery: TraceNode['deliveries'][number], p: Paint, since: Since): Branch => {
  const { attempts, changed, reason, run, emitted, unseen } = delivery
  const text = [
    `-> ${asWhom(delivery)} ${state(p, delivery.state)}`,
    ...(changed === undefined ? [] : [since(changed)]),
    ...(attempts > 1 ? [p.yellow(`${attempts} attempts`)] : []),
    ...(reason === undefined ? [] : [p.red(reason.replace(/\s+/g, ' '))]),
  ].join('  ')
  return {
    text,
    below: [
      ...(run === undefined ? [] : [runBranch(run, p, since)]),
      ...emitted.map((node) => eventBranch(node, p, since)),
      ...unseen.map((id) => ({ text: p.dim(`${id} (not in this answer)`), below: [] })),
    ],
  }
}

const runBranch = (
  run: NonNullable<TraceNode['deliveries'][number]['run']>,
  p: Paint,
  since: Since,
): Branch => ({
  text: [
    `run ${run.run} ${state(p, run.status)}`,
    ...(run.started === undefined ? [] : [since(run.started)]),
    ...(run.ended === undefined || run.started === undefined
      ? []
      : [p.dim(`took ${span(Date.parse(run.ended) - Date.parse(run.started))}`)]),
    ...(run.attempt > 1 ? [p.yellow(`attempt ${run.attempt}`)] : []),
    ...(run.error === undefined ? [] : [p.red(run.error)]),
  ].join('  '),
  below: [],
})

function draw({ text, below }: Branch): string[] {
  return [
    text,
    ...below.flatMap((branch, index) => {
      const last = index === below.length - 1
      const [first = '', ...rest] = draw(branch)
      return [`${last ? '└─ ' : '├─ '}${first}`, ...rest.map((line) => `${last ? '   ' : '│  '}${line}`)]
    }),
  ]
}
