import { isSyncStart } from '../awaited.ts'
import type { ElementOf, MeshNode } from '../model.ts'
import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** An API that answers 504 while what it waits for goes on: callers come again, and the work is done twice. */
export const apiTimeout: Rule = function* ({ elements, node }) {
  const waits = elements('call').filter(({ action }) => isSyncStart(action))
  for (const way of [...elements('invoke'), ...waits]) {
    const [api, handler] = [node(way.from), node(way.to)]
    const limit = mostOf(handler)
    if (api?.kind !== 'api' || handler === undefined || limit === undefined) continue
    const measured = givenBy(api.settings.timeout, way)
    if (measured >= limit) continue
    yield {
      at: way.id,
      severity: 'medium',
      measured,
      limit,
      unit: 's',
      says: `${api.name} gives up after ${shown(measured)} s, and ${handler.name} may go on for ${shown(limit)} s.`,
      mend: `Set the timeout of ${handler.name} below ${shown(measured)} s, or accept the request and do the work behind a queue.`,
      from: 'template',
    }
  }
}

const givenBy = (timeout: number, way: ElementOf<'invoke'> | ElementOf<'call'>): number =>
  way.kind === 'invoke' ? Math.min(timeout, way.timeout) : timeout

/** How long what an API waits for may take, seconds: a function, or a run of an express machine. */
const mostOf = (handler: MeshNode | undefined): number | undefined =>
  handler?.kind === 'function' || handler?.kind === 'workflow' ? handler.settings.timeout : undefined
