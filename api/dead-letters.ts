import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { findIdentity } from '../core/books/fate.ts'
import { Failure } from '../core/errors.ts'
import { subscriberNames } from '../core/gate/subscribers.ts'
import { dropDelivery, dropOpen, droppableOf } from '../core/mend/drop.ts'
import { editDelivery } from '../core/mend/edit.ts'
import { deliveriesOf, deliveriesToDrop, type MendDeps, theOne } from '../core/mend/open-delivery.ts'
import { groupOpen } from '../core/mend/open-groups.ts'
import { redriveJob } from '../core/mend/redrive.ts'
import { redriveEvent } from '../core/mend/redrive-one.ts'
import { place } from '../core/mend/selection.ts'
import type { Delivery } from '../core/ports.ts'
import { routes } from '../events/routes.ts'
import { askJob } from './ask-job.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { job, shownJob } from './jobs.ts'
import { cursorOf, positionOf } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'
import { everything, requireMeant, requireSound, selectionBody, selectionQuery } from './selection.ts'
import { changes, onceHeader, source, unreadableDeliveries, why } from './shapes.ts'

const heldState = z.enum(['dead', 'parked'])

const groupsQuery = z.object({
  ...selectionQuery,
  state: heldState.default('dead'),
  cursor: z.string().max(4096).optional().openapi({ description: '`next` of the answer before' }),
})

const group = z
  .object({
    subscriber: z.string(),
    like: z.string().openapi({ description: 'what their reasons have in common' }),
    count: z.number().int(),
    first: z.string(),
    last: z.string(),
    types: z.array(z.string()).readonly(),
    reason: z.string().openapi({ description: 'that of one of them' }),
    sample: z.array(z.object({ source: z.string(), id: z.string(), replay: z.string() })).readonly(),
  })
  .openapi('DeadLetterGroup')

const grouped = z.object({
  groups: z.array(group),
  read: z.number().int().openapi({ description: 'deliveries looked at for this answer' }),
  unreadable: unreadableDeliveries,
  next: z.string().optional().openapi({
    description: 'these are not all: send it as `cursor`, and add up the counts of groups that are alike',
  }),
})

const mended = {
  subscriber: z.string(),
  replay: z.string(),
  state: z.string(),
  detail: z.string().optional(),
}

const redriven = z
  .object({ ...mended, outcome: z.enum(['sent', 'already', 'blocked', 'delayed']) })
  .openapi('Redriven')

const dropped = z.object({ ...mended, outcome: z.enum(['dropped', 'already']) }).openapi('Dropped')

const edited = z
  .object({
    outcome: z.enum(['edited', 'already']),
    subscriber: z.string(),
    replacement: z.string().openapi({ description: 'id of the event that is handled in its place' }),
    changes,
  })
  .openapi('Edited')

const which = {
  subscriber: z.string().max(40).optional(),
  source: source.optional(),
  replay: z.string().max(256).optional().openapi({ description: 'empty for the live delivery' }),
}

/** Where a walk over what is open goes on, and what it goes by. */
const walkPosition = z.object({ from: place, before: z.string() })

/** What died: by what it has in common, and what can be done about it. */
export function deadLetters(app: Api, deps: ApiDeps): void {
  const reading = needs(deps, 'events:read')
  const writing = needs(deps, 'deliveries:write')
  const ports: MendDeps = { ...deps, clock: deps.now, routes }

  const namesFor = async (project: string, subscriber: string | undefined): Promise<string[]> => {
    const names = await subscriberNames(project, ports)
    if (subscriber === undefined) return names
    if (names.includes(subscriber)) return [subscriber]
    throw new Failure('NotFound', `there is no subscriber ${subscriber}`, {
      faults: [{ path: 'subscriber', expected: `one of ${names.join(', ')}`, got: subscriber }],
    })
  }

  const find = async (
    project: string,
    path: string,
    named: z.infer<z.ZodObject<typeof which>>,
    found: typeof deliveriesToDrop = deliveriesOf,
  ) => {
    const identity = await findIdentity(deps, project, path, named.source)
    return { identity, found: await found(identity, named, deps.history) }
  }

  const groups = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/dead-letters/groups',
    summary: 'What died, by subscriber and reason',
    description: `${reading.description} Looks at some thousand deliveries for each answer. With the same filters this is what a redrive or drop would be about.`,
    request: { query: groupsQuery },
    responses: { 200: json('Groups, the largest first', grouped), ...missing, ...refused },
  })
  app.openapi(groups, async (c) => {
    const { project } = c.var.principal
    const { subscriber, state, cursor, ...selection } = c.req.valid('query')
    requireSound(selection)
    const position = positionOf('dead-letter-groups', walkPosition, cursor)
    const before = position?.before ?? deps.now()
    const subscribers = await namesFor(project, subscriber)
    const query = { project, subscribers, state, selection, before, from: position?.from }
    const { next, ...answer } = await groupOpen(query, ports)
    return c.json({ ...answer, ...nextOf('dead-letter-groups', next, before) }, 200)
  })

  const redriveAll = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/dead-letters/redrive',
    summary: 'Send what died to its subscribers again, at a rate: a job',
    description: `${writing.description} Goes by what is dead now; what dies again meanwhile is left. On an ordered route all that waits behind it goes with it.`,
    request: {
      headers: onceHeader,
      body: body(
        z.strictObject({
          ...selectionBody,
          all: everything,
          rate: z.number().int().min(1).max(1000).default(10).openapi({ description: 'deliveries a second' }),
          stopAfter: z.number().int().min(1).max(1000).default(10).openapi({
            description: 'ends when so many that were sent died again of the same',
          }),
        }),
      ),
    },
    responses: { 202: json('The job', job), ...missing, ...conflicting, ...badBody, ...refused },
  })
  app.openapi(redriveAll, async (c) => {
    const { project, actor: by } = c.var.principal
    const { subscriber, all, rate, stopAfter, ...selection } = c.req.valid('json')
    requireMeant({ subscriber, all, ...selection })
    requireSound(selection)
    const subscribers = await namesFor(project, subscriber)
    const once = c.req.valid('header')['idempotency-key']
    const asked = { subscriber: subscriber ?? 'all', by, asked: deps.now(), rate }
    const found = await askJob(deps, { project, kind: 'redrive', once }, (id) =>
      redriveJob(project, { ...asked, id, subscribers, selection, stopAfter }),
    )
    return c.json(await shownJob(project, found, deps), 202)
  })

  const dropAll = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/dead-letters/drop',
    summary: 'Drop what died, some at a time: nobody will handle it',
    request: {
      body: body(
        z.strictObject({
          ...selectionBody,
          all: everything,
          state: heldState.default('dead'),
          because: why.openapi({ description: 'why they are dropped' }),
          cursor: z.string().max(4096).optional(),
        }),
      ),
    },
    responses: {
      200: json(
        'How many; `next` is to be sent as `cursor` until there is none',
        z.object({
          dropped: z.number().int(),
          already: z.number().int(),
          unreadable: z
            .number()
            .int()
            .openapi({ description: 'left: newer code wrote them, or their bodies are gone' }),
          next: z.string().optional(),
        }),
      ),
      ...missing,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(dropAll, async (c) => {
    const { project, actor: by } = c.var.principal
    const { subscriber, all, state, because, cursor, ...selection } = c.req.valid('json')
    requireMeant({ subscriber, all, ...selection })
    requireSound(selection)
    const position = positionOf('dead-letter-drop', walkPosition, cursor)
    const before = position?.before ?? deps.now()
    const subscribers = await namesFor(project, subscriber)
    const query = { project, subscribers, state, selection, before, from: position?.from }
    const { next, ...counts } = await dropOpen(query, { by, reason: because }, ports)
    return c.json({ ...counts, ...nextOf('dead-letter-drop', next, before) }, 200)
  })

  const redrive = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/dead-letters/{id}/redrive',
    summary: 'Send an event to the subscriber that failed, again',
    request: { params: z.object({ id: idInPath }), body: body(z.strictObject(which)) },
    responses: {
      200: json(
        'Each dead delivery of it; `already`: it is not dead any more, and `state` says what it is',
        z.object({ items: z.array(redriven) }),
      ),
      ...missing,
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(redrive, async (c) => {
    const { project, actor } = c.var.principal
    const { source, ...wanted } = c.req.valid('json')
    const identity = await findIdentity(deps, project, c.req.valid('param').id, source)
    return c.json({ items: await redriveEvent(identity, wanted, actor, ports) }, 200)
  })

  const edit = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/dead-letters/{id}/edit',
    summary: 'Mend the data of an event for the subscriber that could not handle it',
    description: `${writing.description} A new event takes its place there, and nowhere else; the old one stays as it is.`,
    request: {
      params: z.object({ id: idInPath }),
      body: body(
        z.strictObject({ ...which, data: z.unknown().openapi({ description: 'all of it, mended' }) }),
      ),
    },
    responses: {
      200: json('What takes its place', edited),
      ...missing,
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(edit, async (c) => {
    const { project, actor } = c.var.principal
    const { data, ...named } = c.req.valid('json')
    const { found } = await find(project, c.req.valid('param').id, named)
    // edited once, it is dropped: the same edit again is answered as such
    const live = found.filter(({ key, delivery }) => key.replay === '' && isEditable(delivery))
    const one = theOne(live.length > 0 ? live : found, ['dead', 'dropped'])
    const answer = await editDelivery(one, data, actor, ports)
    return c.json({ ...answer, subscriber: one.key.subscriber }, 200)
  })

  const drop = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/dead-letters/{id}/drop',
    summary: 'Drop a delivery that is dead or parked: nobody will handle it',
    description: `${writing.description} With its subscriber named also one that is retrying: it is not tried again.`,
    request: {
      params: z.object({ id: idInPath }),
      body: body(z.strictObject({ ...which, reason: why.openapi({ description: 'why it is dropped' }) })),
    },
    responses: {
      200: json('Each that was meant', z.object({ items: z.array(dropped) })),
      ...missing,
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(drop, async (c) => {
    const { project, actor: by } = c.var.principal
    const { reason, ...named } = c.req.valid('json')
    const { found } = await find(project, c.req.valid('param').id, named, deliveriesToDrop)
    const items = []
    for (const one of droppableOf(found, named.subscriber !== undefined))
      items.push(await dropDelivery(one, { by, reason, tried: named.subscriber !== undefined }, ports))
    return c.json({ items }, 200)
  })
}

const isEditable = ({ state }: Delivery): boolean => state === 'dead' || state === 'dropped'

const nextOf = (list: string, next: z.infer<typeof place> | undefined, before: string) =>
  next === undefined ? {} : { next: cursorOf(list, { from: next, before }) }
