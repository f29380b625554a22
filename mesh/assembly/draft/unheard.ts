import { invocationFailed } from '../../aws-events.ts'
import type { ElementOf } from '../../model.ts'
import { nodesAt } from './deliver.ts'
import { type Draft, join, type NewElement, ofType } from './draft.ts'

/**
 * A topic without a subscription and a bus without a rule (or an archive) for it keep nothing of what failed: what is sent
 * there is dropped. Rules and subscriptions of other apps are not seen.
 */
export function dropUnheard(draft: Draft) {
  const leaving = Map.groupBy(draft.elements.values(), ({ from }) => from)
  const deliveries = (id: string) => (leaving.get(id) ?? []).filter((each) => each.kind === 'delivery')
  const archived = new Set(
    ofType(draft, 'AWS::Events::Archive').flatMap(({ resource, properties }) =>
      nodesAt(draft, resource, properties, ['SourceArn'], 'events'),
    ),
  )
  const isHeard = (id: string): boolean => {
    const kind = draft.nodes.get(id)?.kind
    if (kind === 'topic') return deliveries(id).length > 0
    if (kind !== 'bus' || archived.has(id)) return true
    return deliveries(id).some(({ to, types }) => {
      const rule = draft.nodes.get(to)
      const enabled = rule?.kind === 'rule' && rule.settings.enabled
      return enabled && (types === null || types.includes(invocationFailed)) && deliveries(to).length > 0
    })
  }
  const replace = (element: NewElement, by: NewElement) => {
    draft.elements.delete(JSON.stringify(element))
    join(draft, by)
  }
  const kept = new Map<string, boolean>()
  for (const letter of [...draft.elements.values()].filter(isLetter)) {
    const heard = isHeard(letter.to)
    if (letter.of === 'async') kept.set(letter.from, heard || kept.get(letter.from) === true)
    if (!heard) replace(letter, { ...letter, unheard: true })
  }
  for (const each of [...draft.elements.values()])
    if (each.kind === 'delivery' && each.kept && kept.get(each.to) === false)
      replace(each, { ...each, kept: false })
}

const isLetter = (element: NewElement): element is Omit<ElementOf<'dead-letter'>, 'id'> =>
  element.kind === 'dead-letter'
