import { supersededBy } from '../core/mend/superseded.ts'
import type { ShownDelivery, Why } from './answers.ts'
import { clockMillis, count, localTime, type Paint, span, state, table } from './output.ts'

const between = (from: string, to: string): string => span(Date.parse(to) - Date.parse(from))

export const runText = (p: Paint, run: NonNullable<ShownDelivery['run']>): string =>
  [
    `run ${run.run}`,
    state(p, run.status),
    ...(run.attempt > 1 ? [`(attempt ${run.attempt})`] : []),
    run.error ?? '',
  ]
    .filter((part) => part !== '')
    .join(' ')

/** Each delivery on one line. */
export const deliveriesTable = (p: Paint, deliveries: readonly ShownDelivery[]): string =>
  deliveries.length === 0
    ? p.dim('No subscriber expects it.')
    : table(
        p,
        ['SUBSCRIBER', 'STATE', 'ATTEMPTS', 'CHANGED', 'REASON'],
        deliveries.map((delivery) => [
          delivery.subscriber + (delivery.replay === '' ? '' : p.dim(` (replay ${delivery.replay})`)),
          state(p, delivery.state),
          String(delivery.attempts),
          localTime(delivery.changed),
          delivery.reason ?? '',
        ]),
      )

const how: Readonly<Record<string, string>> = {
  http: 'by HTTP',
  bus: 'from the inbox bus',
  emit: 'from a handler or workflow of ours',
  outbox: 'from a command of ours',
  states: 'from Step Functions',
  edit: 'as an edit',
}

/** What somebody made of a text that nobody vouches for is theirs, and not of the door where that lay. */
function cameText({ door, actor, released }: Why['event']): string {
  if (released?.edited && released.by === actor) return 'from quarantine'
  return how[door ?? ''] ?? door ?? 'unknown how'
}

/** As whom a subscriber handles an event: live, or for a replay. */
export const asWhom = ({ subscriber, replay }: { subscriber: string; replay: string }): string =>
  replay === '' ? subscriber : `${subscriber} (replay ${replay})`

/** Through whose hands an event came that had been refused. */
export const releasedText = ({ by, at, edited }: NonNullable<Why['event']['released']>): string =>
  `from quarantine by ${by}${edited ? ', edited' : ''} at ${localTime(at)}`

/** What has come of deliveries that have all come to their end. */
function endedText(deliveries: readonly ShownDelivery[]): string {
  const given = deliveries.filter(({ state }) => state === 'dropped')
  if (given.length === 0) return 'Every delivery is done'
  const edited = given.flatMap((one) => supersededBy(one) ?? [])
  const dropped = given.length - edited.length
  const drops = dropped === 0 ? [] : [`${count(dropped, 'delivery was', 'deliveries were')} dropped`]
  const noun = dropped === 0 ? (['delivery ', 'deliveries '] as const) : (['', ''] as const)
  const where = edited.map((id) => `loadpath why ${id}`).join(', ')
  const edits =
    edited.length === 0
      ? []
      : [`${count(edited.length, `${noun[0]}was`, `${noun[1]}were`)} superseded: ${where}`]
  const others = given.length === deliveries.length ? '' : '; every other is done'
  return `${[...drops, ...edits].join(' and ')}${others}`
}

/** One sentence: whether all is well with it. */
function verdict(p: Paint, { event, deliveries }: Why): string {
  if (event.duplicateof !== undefined)
    return p.yellow(
      `The same signed body came before, as ${event.duplicateof}: this one is delivered to nobody.`,
    )
  if (deliveries.length === 0)
    return event.unknown
      ? p.yellow(
          `Nobody has declared the type ${event.type} and no route asks for it: it is recorded, no more.`,
        )
      : p.dim('No route asks for it: it is recorded, no more.')
  const dead = deliveries.filter(({ state }) => state === 'dead')
  if (dead.length > 0)
    return p.red(
      `${count(dead.length, 'delivery is', 'deliveries are')} dead: loadpath dead show ${event.id}`,
    )
  const failed = deliveries.filter(({ run }) => run?.status === 'failed')
  if (failed.length > 0) return p.red(`${count(failed.length, 'run has', 'runs have')} failed.`)
  const open = deliveries.filter(({ state }) => !/^(done|dropped)$/.test(state))
  if (open.length > 0) return p.yellow(`${count(open.length, 'delivery is', 'deliveries are')} not done yet.`)
  const going = deliveries.filter(({ run }) => /^(starting|running)$/.test(run?.status ?? ''))
  const ended = endedText(deliveries)
  if (going.length > 0) return p.yellow(`${ended}; ${count(going.length, 'run goes', 'runs go')} on.`)
  return deliveries.every(({ state }) => state === 'done') ? p.green(`${ended}.`) : p.yellow(`${ended}.`)
}

/** An event's whole fate in one view. */
export function whyText(why: Why, p: Paint): string {
  const { event, deliveries, truncated } = why
  const lines = [
    `${p.bold(event.type)}  ${event.id}`,
    `  ${p.dim('from')} ${event.source}`,
    `  ${p.dim('came')} ${cameText(event)}, ${localTime(event.received)}${event.actor === undefined ? '' : `, sent by ${event.actor}`}`,
    ...(event.released === undefined
      ? []
      : [
          `  ${p.dim('released')} ${releasedText(event.released)}: loadpath quarantine show ${event.released.digest}`,
        ]),
    ...(event.cause === undefined
      ? []
      : [
          `  ${p.dim('made by')} ${asWhom({ subscriber: event.cause.by, replay: event.cause.replay ?? '' })} ${p.dim('from')} ${event.cause.id}`,
        ]),
    ...(event.correlationid === event.id ? [] : [`  ${p.dim('story')} ${event.correlationid}`]),
    '',
    verdict(p, why),
  ]
  lines.push(...deliveries.flatMap((delivery) => ['', ...deliveryLines(delivery, event.received, p)]))
  if (truncated) lines.push('', p.dim('The story is long: emitted events may be missing here.'))
  return lines.join('\n')
}

function deliveryLines(delivery: Why['deliveries'][number], received: string, p: Paint): string[] {
  const { subscriber, replay, attempts, started, changed, reason, notes, run, emitted } = delivery
  const times =
    started === undefined || changed === undefined
      ? ''
      : [
          ` at ${clockMillis(changed)}, after ${between(received, changed)}`,
          ...(attempts > 1
            ? [`first tried after ${between(received, started)}`, `${attempts} attempts`]
            : []),
        ].join(', ')
  const head = `${p.bold(subscriber)} ${state(p, delivery.state)}${replay === '' ? '' : ` (replay ${replay})`}${p.dim(times)}`
  const below = [
    ...(reason === undefined ? [] : [`${p.dim('because')} ${reason}`]),
    ...(run === undefined ? [] : [runText(p, run)]),
    ...(notes ?? []).map((note) => `${p.dim('note')} ${note}`),
    ...emitted.map(
      ({ id, type, recorded }) =>
        `${p.dim('emitted')} ${type ?? 'an event'} ${id}${recorded ? '' : p.yellow(' (not recorded yet)')}`,
    ),
  ]
  return [head, ...below.map((line) => `  ${line}`)]
}
