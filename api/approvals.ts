import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { answerApproval } from '../core/domain/answer-approval.ts'
import { approvalOf, approvalRecord, publicView } from '../core/domain/approval.ts'
import { Failure } from '../core/errors.ts'
import type { MemoryRecord } from '../core/ports.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { chain, pageOf, pageQuery } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'

const approval = z
  .object({
    approval: z.string(),
    workflow: z.string(),
    run: z.string(),
    question: z.string(),
    expires: z.string(),
    status: z.enum(['pending', 'approved', 'denied', 'expired']),
    by: z.string().optional(),
    comment: z.string().optional(),
    decided: z.string().optional(),
    requestedFor: z
      .object({ source: z.string(), id: z.string(), correlationid: z.string() })
      .openapi({ description: 'the event whose handling asks' }),
  })
  .openapi('Approval')

const decision = z.strictObject({
  decision: z.enum(['approved', 'denied']),
  comment: z.string().max(1000).optional(),
})

const params = z.object({ approval: idInPath })

/** Questions that runs wait on. */
export function approvals(app: Api, deps: ApiDeps): void {
  const reading = needs(deps, 'approvals:read')

  const list = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/approvals',
    summary: 'Approvals: pending ones by their end, the first to end first; then decided ones, newest first',
    request: { query: z.object({ status: z.enum(['pending', 'decided']).optional(), ...pageQuery }) },
    responses: { 200: json('A page of approvals', pageOf(approval)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { project } = c.var.principal
    const { status, ...query } = c.req.valid('query')
    const lists = (status === undefined ? (['pending', 'decided'] as const) : [status]).map(
      (name) => (inner: { cursor: string | undefined; limit: number }) =>
        deps.memory.list({ project, list: `approvals/${name}`, oldestFirst: name === 'pending', ...inner }),
    )
    const found = await chain(`approvals ${status ?? ''}`, lists, query)
    return c.json({ ...found, items: found.items.map(shown) }, 200)
  })

  const show = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/approvals/{approval}',
    summary: 'An approval',
    request: { params },
    responses: { 200: json('The approval', approval), ...missing, ...refused },
  })
  app.openapi(show, async (c) => {
    const name = c.req.valid('param').approval
    const record = await deps.memory.get(approvalRecord(c.var.principal.project, name))
    return c.json(shown(record), 200)
  })

  const decide = createRoute({
    ...needs(deps, 'approvals:write'),
    method: 'post',
    path: '/v1/approvals/{approval}/decision',
    summary: 'Approve or deny',
    request: { params, body: body(decision) },
    responses: {
      200: json('The approval, decided', approval),
      ...missing,
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(decide, async (c) => {
    const { project, actor } = c.var.principal
    const { approval } = c.req.valid('param')
    const ports = { memory: deps.memory, clock: deps.now }
    const decided = await answerApproval({ project, approval }, c.req.valid('json'), actor, ports)
    return c.json(shown(decided), 200)
  })
}

function shown(record: MemoryRecord | undefined): z.infer<typeof approval> {
  const state = approvalOf(record)
  if (state === undefined) throw new Failure('NotFound', 'there is no such approval')
  const { source, id, correlationid } = state.requestedFor
  return { ...publicView(state), requestedFor: { source, id, correlationid } }
}
