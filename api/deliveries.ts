import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { findIdentity } from '../core/books/fate.ts'
import { keyOf } from '../core/delivery-key.ts'
import { Failure } from '../core/errors.ts'
import { dataOf } from '../core/event/body.ts'
import { subscriberNames } from '../core/gate/subscribers.ts'
import { presentData } from '../core/mend/edit.ts'
import { deliveriesOf, requireEvent, theOne } from '../core/mend/open-delivery.ts'
import { chooser } from '../core/mend/selection.ts'
import { openDeliveries } from '../core/open-deliveries.ts'
import type { Delivery, DeliveryKey, OpenState } from '../core/ports.ts'
import { routes } from '../events/routes.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { chain, pageOf, pageQuery } from './paging.ts'
import { conflicting, json, missing, refused } from './problems.ts'
import { requireSound, selectionQuery } from './selection.ts'
import { eventWithData, openDelivery, source, unreadableDeliveries } from './shapes.ts'

const openState = z.enum(['retrying', 'parked', 'dead'])
const openStates: readonly OpenState[] = openState.options

const subscriber = z.string().max(40).optional().openapi({
  description: 'without it: every subscriber, one after the other',
})

const deadLetter = z
  .object({
    delivery: openDelivery,
    event: eventWithData,
    newest: z.unknown().optional().openapi({
      description: 'its data in the newest version of its type, as it is to be edited',
    }),
  })
  .openapi('DeadLetter')

const listed = pageOf(openDelivery).extend({ unreadable: unreadableDeliveries })

/** Deliveries that are not done: waiting for their next attempt, parked, or dead. */
export function deliveries(app: Api, deps: ApiDeps): void {
  const allowed = needs(deps, 'events:read')

  const open = async (
    name: string,
    project: string,
    query: {
      subscriber?: string | undefined
      states: readonly OpenState[]
      cursor?: string | undefined
      limit: number
    },
    wanted: Wanted = async (chosen) => ({ chosen, unreadable: [] }),
  ) => {
    const unreadable: DeliveryKey[] = []
    const names =
      query.subscriber === undefined
        ? await subscriberNames(project, { ...deps, routes })
        : [query.subscriber]
    const lists = names.flatMap((subscriber) =>
      query.states.map((state) => async (inner: { cursor: string | undefined; limit: number }) => {
        const found = await openDeliveries({ project, subscriber, state, ...inner }, deps.history)
        const meant = await wanted(found.items)
        unreadable.push(...found.unreadable, ...meant.unreadable)
        return { items: meant.chosen, next: found.next }
      }),
    )
    const { items, ...rest } = await chain(name, lists, query)
    return { ...rest, items: items.map(shown), unreadable: unreadable.map(named) }
  }

  const list = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/deliveries',
    summary: 'Deliveries that are not done',
    description: `${allowed.description} By subscriber and state, each in the order of their last change.`,
    request: { query: z.object({ subscriber, state: openState.optional(), ...pageQuery }) },
    responses: { 200: json('A page of deliveries', listed), ...refused },
  })
  app.openapi(list, async (c) => {
    const { state, ...query } = c.req.valid('query')
    const states = state === undefined ? openStates : [state]
    return c.json(await open('deliveries', c.var.principal.project, { ...query, states }), 200)
  })

  const dead = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/dead-letters',
    summary: 'Deliveries that were given up',
    request: { query: z.object({ ...selectionQuery, ...pageQuery }) },
    responses: { 200: json('A page of dead deliveries', listed), ...refused },
  })
  app.openapi(dead, async (c) => {
    const { subscriber: name, limit, cursor, ...selection } = c.req.valid('query')
    requireSound(selection)
    const query = { subscriber: name, limit, cursor, states: ['dead'] as const }
    const isFiltered = Object.values(selection).some((part) => part !== undefined)
    const wanted = isFiltered ? wantedBy(chooser(selection, deps)) : undefined
    return c.json(await open('dead-letters', c.var.principal.project, query, wanted), 200)
  })

  const show = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/dead-letters/{id}',
    summary: 'A dead delivery and its event',
    request: {
      params: z.object({ id: idInPath }),
      query: z.object({
        subscriber: z.string().max(40).optional(),
        source: source.optional(),
        replay: z.string().max(256).optional().openapi({ description: 'empty for the live delivery' }),
      }),
    },
    responses: {
      200: json('The delivery and its event', deadLetter),
      ...missing,
      ...conflicting,
      ...refused,
    },
  })
  app.openapi(show, async (c) => {
    const { source: from, ...wanted } = c.req.valid('query')
    const identity = await findIdentity(deps, c.var.principal.project, c.req.valid('param').id, from)
    const all = await deliveriesOf(identity, wanted, deps.history)
    const ofThose = all.filter(({ delivery }) => delivery.state === 'dead')
    if (ofThose.length === 0) throw new Failure('NotFound', `no delivery of ${identity.id} is dead`)
    const one = theOne(ofThose, ['dead'])
    const event = requireEvent(one)
    const data = await dataOf(event, deps.bodies)
    return c.json(
      {
        delivery: shown({ ...one.key, ...one.delivery }),
        event: { ...event, ...(data === undefined ? {} : { data }) },
        newest: await presentData(event, deps),
      },
      200,
    )
  })
}

type Deliveries = readonly (DeliveryKey & Delivery)[]
type Wanted = (found: Deliveries) => Promise<{ chosen: Deliveries; unreadable: readonly DeliveryKey[] }>

const wantedBy =
  (choose: ReturnType<typeof chooser>): Wanted =>
  async (found) => {
    const marks = found.flatMap((mark) => (mark.state === 'dead' ? [{ ...mark, state: mark.state }] : []))
    const { chosen, unreadable } = await choose(marks)
    return { chosen: chosen.map(({ mark, delivery }) => ({ ...keyOf(mark), ...delivery })), unreadable }
  }

const named = ({ subscriber, source, id, replay }: DeliveryKey) => ({ subscriber, source, id, replay })

/** Without the project: it is the asker's own. */
function shown({ project: _, ...delivery }: DeliveryKey & Delivery) {
  return delivery
}
