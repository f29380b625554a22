import type { Job } from '../../core/job/job.ts'
import { redriveSelection } from '../../core/mend/redrive-progress.ts'
import type { Selection } from '../../core/mend/selection.ts'
import type { Delivery, DeliveryKey } from '../../core/ports.ts'
import { type Held, isDeployed, jobsIn, marksOf, type Wrong } from './held.ts'
import { noteSent } from './jobs-seen.ts'
import { deliveryText, type Observed, textOfEvent } from './observed.ts'

/** Of many that are dead or parked people mean some: those are sent or dropped, and no other. */

export type Meant = {
  project: string
  subscribers: readonly string[]
  state: 'dead' | 'parked'
  selection: Selection
  /** what has changed since is not meant: ISO 8601 */
  asked: string
}

type Mark = DeliveryKey & Delivery

/** `by`: what somebody asked for; undefined: one of all that anybody had asked for until then */
export type Mended = { by: string | undefined; mark: Mark; at: number }

/** What a redrive was asked for, before anything is done with it. */
export function noteMeant(project: string, { kind, id, asked, selection }: Job, { meant }: Observed): void {
  if (kind !== 'redrive' || meant.has(id)) return
  const { state, subscribers, stopAfter: _, ...filters } = redriveSelection.parse(selection)
  meant.set(id, { project, subscribers, state, selection: filters, asked })
}

/** Somebody who asked for many had this one sent or dropped: its mark names the job, or the drop. */
export function noteMended(mark: Mark, before: Mark | undefined, observed: Observed, at: number): void {
  if (before?.state !== 'dead' && before?.state !== 'parked') return
  const [, by] = /^(?:sent again by .*, job|dropped by .*: drop) (\S+)$/.exec(mark.reason ?? '') ?? []
  if (by === undefined || (mark.state !== 'retrying' && mark.state !== 'dropped')) return
  observed.mended.push({ by, mark: before, at })
  if (mark.state === 'retrying') noteSent(by, observed, at)
  const what = mark.state === 'dropped' ? 'drop' : 'redrive'
  for (const filter of Object.keys(observed.meant.get(by)?.selection ?? {}))
    observed.sometimes(`a ${what} by ${filter} finds something`)
}

async function isMeant(mark: Mark, meant: Meant, { stage, observed }: Held): Promise<boolean> {
  const { type, reason, since = '', until = '~', where = [] } = meant.selection
  const { project, subscriber, state, changed } = mark
  const event = observed.events.get(textOfEvent(mark))?.stored.event
  const isNear =
    project === meant.project &&
    meant.subscribers.includes(subscriber) &&
    state === meant.state &&
    changed >= since &&
    changed <= until &&
    changed <= meant.asked &&
    (type === undefined || event?.type === type) &&
    (reason === undefined || holds(mark.reason ?? '', reason))
  if (!isNear || where.length === 0) return isNear
  const body = event?.dataref === undefined ? undefined : await stage.stored.bodies.get(event.dataref)
  const data: unknown = body === undefined ? event?.data : JSON.parse(Buffer.from(body).toString())
  return where.every(({ path, value }) => memberOf(data, path.split('.')) === value)
}

const holds = (reason: string, wanted: string): boolean =>
  new RegExp(wanted.replaceAll(/[^\w\s*]/g, '\\$&').replaceAll('*', '.*'), 'is').test(reason)

const memberOf = (data: unknown, [name, ...path]: readonly string[]): unknown =>
  name === undefined ? data : memberOf((data as Record<string, unknown> | undefined)?.[name], path)

/** Whatever was sent or dropped together with others was meant by who asked for that. */
export async function othersAreLeft(held: Held): Promise<Wrong[]> {
  const { mended, meant } = held.observed
  const wrong = await Promise.all(
    mended.map(async ({ by, mark, at }): Promise<Wrong[]> => {
      const asked = by === undefined ? [...meant.values()] : [meant.get(by)].flatMap((one) => one ?? [])
      const verdicts = await Promise.all(asked.map((one) => isMeant(mark, one, held)))
      if (verdicts.includes(true)) return []
      const who = by === undefined ? 'a redrive' : `${by}, asked for ${JSON.stringify(meant.get(by))},`
      const when = new Date(at).toISOString()
      return [
        { message: `${who} came to ${deliveryText(mark)} at ${when}, and nobody meant it`, id: mark.id },
      ]
    }),
  )
  return wrong.flat()
}

/** A redrive with filters that is done, and could send all that it met, leaves none of those that it meant. */
export async function allMeantAreSent(held: Held): Promise<Wrong[]> {
  const { stage, observed } = held
  const blur = 2 * stage.skew + stage.stale + 30_000
  const wrong = await Promise.all(
    jobsIn(held).map(async ({ project, job }): Promise<Wrong[]> => {
      const meant = observed.meant.get(job.id)
      const { skipped = 0, blocked = 0, unreadable = 0 } = job.counts
      if (meant?.state !== 'dead' || job.state !== 'done' || skipped + blocked + unreadable > 0) return []
      if (Object.keys(meant.selection).length === 0) return []
      const before = Date.parse(meant.asked) - blur
      const left = marksOf(held).filter(
        (mark) =>
          mark.project === project &&
          mark.state === 'dead' &&
          meant.subscribers.includes(mark.subscriber) &&
          isDeployed(held, mark.subscriber) &&
          (observed.deliveries.get(deliveryText(mark))?.at ?? 0) < before,
      )
      const verdicts = await Promise.all(left.map((mark) => isMeant(mark, meant, held)))
      if (verdicts.includes(false)) observed.sometimes('a redrive leaves what is not meant')
      const about = `the redrive ${job.id} by ${Object.keys(meant.selection)} is done, and`
      return left
        .filter((_, index) => verdicts[index])
        .map((mark) => ({ message: `${about} ${deliveryText(mark)} is dead as before`, id: mark.id }))
    }),
  )
  return wrong.flat()
}
