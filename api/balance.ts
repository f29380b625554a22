import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { balanceSlice } from '../core/books/balance.ts'
import { mendMissing } from '../core/books/balance-mend.ts'
import { imbalances, mostNamed } from '../core/books/balance-sheet.ts'
import { Failure } from '../core/errors.ts'
import { patience, queueRetention } from '../core/gate/missing.ts'
import { jobOf, jobRecord } from '../core/job/job.ts'
import { replayAsked, routeOfJob, scopeOf } from '../core/replay/replay-job.ts'
import { sweepState } from '../core/sweep/sweep-log.ts'
import { routes } from '../events/routes.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { cursorOf, positionOf } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'
import { windowOf, windowQuery } from './window.ts'

/** What API Gateway waits for is 30 s, and what has been begun is brought to its end. */
const secondsPerSlice = 10

const count = z.number().int()
const line = z
  .object({
    expected: count,
    done: count,
    dead: count,
    parked: count,
    retrying: count,
    dropped: count,
    inFlight: count.openapi({ description: 'no mark, and too young to ask, or perhaps in its queue' }),
    missing: count.openapi({ description: 'no mark, and nowhere else' }),
    stalled: count.openapi({ description: 'of `retrying`: with nothing in the queue' }),
    unexpected: count.openapi({ description: 'marks that nobody expected: no part of the sum' }),
  })
  .openapi('BalanceLine', {
    description: 'expected = done + dead + parked + retrying + dropped + inFlight + missing',
  })

const sheet = z.object({
  events: z.object({
    recorded: count,
    unknown: count,
    duplicates: count,
    expectingNobody: count,
    again: count.openapi({ description: 'listed more than once: sent or tried again, and known already' }),
    skipped: count.openapi({ description: 'listed, and not there: never written, or expired since' }),
    unreadable: count,
  }),
  subscribers: z.record(z.string(), line),
  total: line,
  lost: z
    .array(
      z.object({
        source: z.string(),
        id: z.string(),
        subscriber: z.string(),
        type: z.string(),
        received: z.string(),
        standing: z.enum(['missing', 'stalled']),
      }),
    )
    .openapi({ description: `the first ${mostNamed} that nobody but the sweep will try` }),
  lostMore: count.openapi({ description: 'so many more, not named' }),
  replayed: count,
  redriven: count,
  quarantined: z.record(z.string(), count),
})

const sweep = z
  .object({
    read: z.string().optional().openapi({ description: 'all of the timeline up to here was looked at' }),
    lagMinutes: z.number().optional(),
    behind: z.record(z.string(), z.string()).openapi({
      description: 'subscribers whose queue has to be empty first, and from where on they are behind',
    }),
    passes: count,
    since: z.string().optional(),
    lastPass: z.string().optional(),
    did: z
      .object({
        since: z.string(),
        at: z.string(),
        resent: count,
        relayed: count,
        ended: count,
        expired: count,
        restarted: count.openapi({ description: 'what stood still though nothing held it' }),
        last: z.array(
          z.object({ source: z.string(), id: z.string(), subscriber: z.string(), at: z.string() }),
        ),
      })
      .optional(),
    unrelayed: count.openapi({
      description: 'keys whose events have waited in the outbox for two minutes; 100 are counted',
    }),
  })
  .openapi('SweepState')

const slice = z
  .object({
    window: z.object({ since: z.string(), until: z.string() }),
    sheet: sheet.openapi('BalanceSheet'),
    imbalances: z
      .array(z.string())
      .openapi({ description: 'where the books contradict themselves: a defect' }),
    sweep,
    replay: z
      .object({
        id: z.string(),
        subscriber: z.string(),
        state: z.string(),
        counts: z.record(z.string(), z.number()),
      })
      .optional(),
    next: z.string().optional(),
  })
  .openapi('BalanceSlice')

const query = z.object({
  ...windowQuery,
  patience: z
    .string()
    .regex(/^\d{1,6}$/, { error: 'seconds' })
    .transform((text) => Number(text) * 1000)
    .refine((given) => given <= queueRetention, { error: `at most ${queueRetention / 1000} seconds` })
    .optional()
    .openapi({
      type: 'integer',
      description: `seconds; what is younger may be on its way; ${patience / 1000} without it`,
    }),
  replay: z.string().max(256).optional().openapi({ description: 'the books of this replay alone' }),
})

const position = z.object({
  since: z.string(),
  until: z.string(),
  place: z.union([
    z.object({ read: z.array(z.string()).length(4) }),
    z.object({ quarantine: z.string().optional() }),
  ]),
})

const name = z.object({
  source: z.string().min(1),
  id: z.string().min(1),
  subscriber: z.string().min(1),
})

const mended = z
  .object({
    ...name.shape,
    outcome: z.enum(['sent', 'dead', 'already', 'in flight', 'not expected', 'no such event', 'failed']),
    detail: z.string().optional(),
  })
  .openapi('MendedDelivery')

/** The books: what every event expected against what became of it. */
export function balance(app: Api, deps: ApiDeps): void {
  const reading = needs(deps, 'events:read')

  const show = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/balance',
    summary: 'The books of a window, slice by slice: the slices add up',
    description: `${reading.description} Each call reads for ${secondsPerSlice} seconds at most. What a slice counts is added to the others; \`sweep\` and \`replay\` are as of its end.`,
    request: { query },
    responses: { 200: json('A slice of the books', slice), ...missing, ...conflicting, ...refused },
  })
  app.openapi(show, async (c) => {
    const { project } = c.var.principal
    const asked = c.req.valid('query')
    const now = deps.now()
    const from = positionOf('balance', position, asked.cursor)
    const replay = asked.replay === undefined ? undefined : await replayOf(project, asked.replay, deps)
    const window = from ?? windowOf(asked, now, replay?.window)
    const { since, until } = window
    const { queues, history } = deps
    const done = await balanceSlice(
      {
        project,
        since,
        until,
        patience: asked.patience ?? patience,
        replay: asked.replay,
        shard: asked.shard,
      },
      from?.place,
      { history, queues, clock: deps.now, routes },
      secondsPerSlice,
    )
    return c.json(
      {
        window: { since, until },
        sheet: done.sheet,
        imbalances: imbalances(done.sheet),
        sweep: await sweepState(project, { memory: deps.memory, clock: deps.now }),
        ...(replay && { replay: replay.shown }),
        ...(done.next && { next: cursorOf('balance', { since, until, place: done.next }) }),
      },
      200,
    )
  })

  const mend = createRoute({
    ...needs(deps, 'deliveries:write'),
    method: 'post',
    path: '/v1/balance/mend',
    summary: 'Send on what the books named as missing',
    request: { body: body(z.strictObject({ deliveries: z.array(name).min(1).max(100) })) },
    responses: {
      200: json('What became of each, in order', z.object({ items: z.array(mended) })),
      ...badBody,
      ...refused,
    },
  })
  app.openapi(mend, async (c) => {
    const { deliveries } = c.req.valid('json')
    const { project, actor } = c.var.principal
    const { history, queues, memory, newId } = deps
    const sending = { history, queues, memory, newId, clock: deps.now, routes }
    return c.json({ items: await mendMissing(project, deliveries, actor, sending) }, 200)
  })
}

/** What is known of a replay as a job, and the window that it goes through. */
async function replayOf(project: string, id: string, deps: ApiDeps) {
  const job = jobOf(await deps.memory.get(jobRecord(project, id)))
  if (job === undefined) throw new Failure('NotFound', `there is no replay ${id}`)
  if (job.kind !== 'replay') throw new Failure('NotFound', `job ${id} is no replay but a ${job.kind}`)
  const { subscriber, state, counts } = job
  const scope = scopeOf(project, replayAsked.parse(job.selection), routeOfJob(job, routes), job.asked)
  return {
    shown: { id, subscriber, state, counts },
    window: { since: scope.after.slice(0, 24), until: scope.to },
  }
}
