import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { Failure } from '../core/errors.ts'
import { textOf } from '../core/gate/quarantine.ts'
import type { Quarantined } from '../core/ports.ts'
import { matches, quarantineGroups, redriveQuarantine } from '../core/quarantine/quarantine-list.ts'
import {
  dropQuarantined,
  type Edit,
  type Mended,
  releaseQuarantined,
  tryQuarantined,
} from '../core/quarantine/quarantine-mend.ts'
import { settledList, settledOf } from '../core/quarantine/quarantine-settle.ts'
import { routes } from '../events/routes.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { chain, cursorOf, page, pageOf, pageQuery, positionOf } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'
import { fault, time, why } from './shapes.ts'

const reason = z.enum(['invalid', 'forged', 'conflict', 'loop', 'unreadable'])
const settlement = z.object({
  state: z.enum(['recorded', 'dropped']),
  by: z.string(),
  at: z.string(),
  note: z.string().openapi({ description: 'the event as which it was recorded, or why it was dropped' }),
})
const entry = {
  digest: z.string(),
  reason,
  faults: z.array(fault).readonly(),
  door: z.string(),
  received: z.string(),
  type: z.string().optional(),
  source: z.string().optional(),
  id: z.string().optional(),
  settled: settlement.optional(),
}
const listed = z.object(entry).openapi('QuarantineEntry')
const whole = z
  .object({ ...entry, raw: z.string().openapi({ description: 'as it came' }) })
  .openapi('QuarantinedText')

const group = z
  .object({
    reason: z.string(),
    type: z.string().openapi({ description: 'empty where none could be read' }),
    path: z.string().openapi({ description: 'of the first fault' }),
    expected: z.string(),
    count: z.number().int(),
    first: z.string(),
    last: z.string(),
    digests: z.array(z.string()),
  })
  .openapi('QuarantineGroup')

const settledEntry = z
  .object({
    digest: z.string(),
    reason,
    type: z.string().optional(),
    received: z.string(),
    settled: settlement,
  })
  .openapi('SettledQuarantine')

const mended = z
  .object({
    digest: z.string(),
    outcome: z.enum(['recorded', 'known', 'dropped', 'already', 'refused', 'failed']).openapi({
      description:
        'recorded, known: in history, and settled. refused: it stays, for these faults. failed: it stays, try again.',
    }),
    event: z.object({ source: z.string(), id: z.string(), type: z.string() }).optional(),
    settled: settlement.optional(),
    reason: z.string().optional(),
    faults: z.array(fault).readonly().optional(),
  })
  .openapi('MendedQuarantine')

const filter = {
  reason: reason.optional(),
  type: z.string().max(256).optional(),
  path: z.string().max(256).optional().openapi({ description: 'of the first fault' }),
  since: time.optional(),
}
const dryRun = z.boolean().default(false).openapi({ description: 'only say what would come of it' })
const params = z.object({ digest: idInPath })

/** What API Gateway waits for is 30 s, and what has been begun is brought to its end. */
const secondsPerCall = 10

/** What came in and could not be taken for an event: shown, and mended. */
export function quarantine(app: Api, deps: ApiDeps): void {
  const allowed = needs(deps, 'events:read')
  const writing = needs(deps, 'deliveries:write')
  const { history, memory, queues, bodies, random } = deps
  const mending = { history, memory, queues, bodies, random, clock: deps.now, routes }

  const list = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/quarantine',
    summary: 'What was refused and kept, and waits for somebody',
    request: { query: z.object({ ...filter, ...pageQuery }) },
    responses: { 200: json('A page of quarantine', pageOf(listed)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { project } = c.var.principal
    const lists = [
      (inner: { cursor: string | undefined; limit: number }) => history.quarantined({ project, ...inner }),
    ]
    const { cursor, limit, ...wanted } = c.req.valid('query')
    const isWanted = (found: Quarantined) => matches(found, wanted)
    const found = await chain('quarantine', lists, { cursor, limit }, isWanted)
    return c.json({ ...found, items: found.items.map(withoutText) }, 200)
  })

  const groups = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/quarantine/groups',
    summary: 'The same by reason, type and the place of the first fault',
    description: `${allowed.description} Of the next entries only, as many as one call reads: groups of all calls add up.`,
    request: { query: z.object({ ...filter, cursor: pageQuery.cursor }) },
    responses: { 200: json('Groups of some entries', pageOf(group)), ...refused },
  })
  app.openapi(groups, async (c) => {
    const { cursor, ...wanted } = c.req.valid('query')
    const from = positionOf('quarantine groups', z.string(), cursor)
    const found = await quarantineGroups(c.var.principal.project, wanted, from, history)
    return c.json(page(found.groups, found.next && cursorOf('quarantine groups', found.next)), 200)
  })

  const settled = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/quarantine/settled',
    summary: 'What was settled in the last 30 days, newest first',
    request: { query: z.object(pageQuery) },
    responses: { 200: json('A page of what was settled', pageOf(settledEntry)), ...refused },
  })
  app.openapi(settled, async (c) => {
    const { project } = c.var.principal
    const lists = [
      (inner: { cursor: string | undefined; limit: number }) =>
        memory.list({ project, list: settledList, ...inner }),
    ]
    const found = await chain('quarantine settled', lists, c.req.valid('query'))
    return c.json({ ...found, items: found.items.map(settledOf) }, 200)
  })

  const redriveAll = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/quarantine/redrive',
    summary: 'Send what waits through the gate once more, page by page',
    description: `${writing.description} As it came, by its own door. What is admitted now is recorded; what is not stays. With a filter, a page may hold few or none.`,
    request: {
      body: body(
        z.strictObject({
          ...filter,
          dryRun,
          limit: z.number().int().min(1).max(100).default(25),
          cursor: pageQuery.cursor,
        }),
      ),
    },
    responses: { 200: json('What became of some of them', pageOf(mended)), ...badBody, ...refused },
  })
  app.openapi(redriveAll, async (c) => {
    const { project, actor } = c.var.principal
    const { cursor, limit, dryRun: dry, ...wanted } = c.req.valid('json')
    const from = positionOf('quarantine redrive', z.string(), cursor)
    const at = { cursor: from, limit, dry, seconds: secondsPerCall }
    const { items, next } = await redriveQuarantine(project, wanted, at, actor, mending)
    return c.json(page(items, next && cursorOf('quarantine redrive', next)), 200)
  })

  const show = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/quarantine/{digest}',
    summary: 'One of them, as it came',
    request: { params },
    responses: { 200: json('The entry', whole), ...missing, ...refused },
  })
  app.openapi(show, async (c) => {
    const { digest } = c.req.valid('param')
    const found = await history.getQuarantined(c.var.principal.project, digest)
    if (found === undefined) throw new Failure('NotFound', `nothing in quarantine has the digest ${digest}`)
    return c.json({ ...withoutText(found), raw: await textOf(found, bodies) }, 200)
  })

  const answers = {
    200: json('What became of it', mended),
    ...missing,
    ...conflicting,
    ...badBody,
    ...refused,
  }

  const redrive = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/quarantine/{digest}/redrive',
    summary: 'Send one through the gate once more, as it came',
    description: `${writing.description} With \`dryRun\` a refusal is an answer too; without it is a problem (409, 422, 503) with its faults.`,
    request: { params, body: body(z.strictObject({ dryRun })) },
    responses: answers,
  })
  const edit = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/quarantine/{digest}/edit',
    summary: 'Send one through the gate once more with other data, or as another text',
    description: `${writing.description} With \`dryRun\` a refusal is an answer too; without it is a problem (409, 422, 503) with its faults. It stays what it was and by whom it was; what was changed is kept with who changed it.`,
    request: {
      params,
      body: body(
        z
          .strictObject({
            data: z.unknown().optional().openapi({ description: 'of the event' }),
            text: z.string().min(1).optional().openapi({ description: 'the whole, instead of `raw`' }),
            dryRun,
          })
          .refine((given) => 'data' in given !== (given.text !== undefined), {
            error: 'either `data` or `text`',
          }),
      ),
    },
    responses: answers,
  })
  const mend = async (digest: string, by: { project: string; actor: string }, dry: boolean, edited?: Edit) =>
    dry
      ? tryQuarantined(by.project, digest, by.actor, mending, edited)
      : taken(await releaseQuarantined(by.project, digest, by.actor, mending, edited))
  app.openapi(redrive, async (c) => {
    const { dryRun: dry } = c.req.valid('json')
    return c.json(await mend(c.req.valid('param').digest, c.var.principal, dry), 200)
  })
  app.openapi(edit, async (c) => {
    const { text, data, dryRun: dry } = c.req.valid('json')
    const edited = text === undefined ? { data } : { text }
    return c.json(await mend(c.req.valid('param').digest, c.var.principal, dry, edited), 200)
  })

  const drop = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/quarantine/{digest}/drop',
    summary: 'Decide that one is not to be recorded',
    request: {
      params,
      body: body(z.strictObject({ reason: why.openapi({ description: 'why it is dropped' }) })),
    },
    responses: answers,
  })
  app.openapi(drop, async (c) => {
    const { project, actor } = c.var.principal
    const { reason: note = 'no reason was given' } = c.req.valid('json')
    return c.json(await dropQuarantined(project, c.req.valid('param').digest, actor, note, mending), 200)
  })
}

/** What came of one that was meant to be recorded. @throws Failure Invalid, Conflict, Unavailable when it was not */
function taken(one: Mended): Mended {
  const { outcome, reason = 'it was refused', faults = [] } = one
  if (outcome === 'failed') throw new Failure('Unavailable', `it stays in quarantine: ${reason}; try again`)
  if (outcome === 'refused')
    throw new Failure(reason === 'conflict' ? 'Conflict' : 'Invalid', `it stays in quarantine: ${reason}`, {
      faults,
    })
  return one
}

const withoutText = ({ project: _, raw: __, rawref: ___, ...shown }: Quarantined) => shown
