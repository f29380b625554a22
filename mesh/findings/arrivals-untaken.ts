import type { MeshNode } from '../model.ts'
import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** Types that come in from outside and that nothing handles: a name that is another in the templates or the file of rates. */
export const arrivalsUntaken: Rule = function* ({ loaded, arriving, leaving }) {
  const { states, streams, external } = loaded
  const isRead = (queue: string): boolean =>
    arriving(queue, 'call').some(({ action }) => action === 'sqs:ReceiveMessage')
  const keeps = ({ id, kind }: MeshNode): boolean =>
    kind === 'bucket' ? leaving(id, 'delivery').length === 0 : !passing.has(kind) || isRead(id)
  const before = Map.groupBy(streams, ({ to }) => to)
  // back along the streams from what handles or keeps it
  const taken = new Set(states.flatMap(({ node }, place) => (keeps(node) ? [place] : [])))
  for (const place of taken) for (const { from } of before.get(place) ?? []) taken.add(from)
  const untaken = states.flatMap(({ node, type }, place) => {
    const rate = external[place] ?? 0
    return rate > 0 && !taken.has(place) ? [{ node, type, rate, place }] : []
  })
  const after = Map.groupBy(streams, ({ from }) => from)
  /** Where it ends that goes on from there. */
  const endsFrom = (places: readonly number[]): string[] => {
    const reached = new Set(places)
    for (const place of reached) for (const { to } of after.get(place) ?? []) reached.add(to)
    const ends = [...reached].filter((place) => !after.has(place) && !places.includes(place))
    return [...new Set(ends.flatMap((place) => states[place]?.node.name ?? []))].toSorted()
  }
  for (const [at, all] of Map.groupBy(untaken, ({ node }) => node.id)) {
    const name = all[0]?.node.name ?? at
    const measured = all.reduce((sum, { rate }) => sum + rate, 0)
    const ends = endsFrom(all.map(({ place }) => place)).join(', ')
    const clock = all[0]?.node.kind === 'schedule'
    const types = all.map(({ type }) => (type === '*' ? 'any type' : type)).toSorted()
    yield {
      at,
      severity: 'medium',
      measured,
      limit: 0,
      unit: 'events a second',
      says: `${shown(measured)}/s of ${types.join(', ')} come ${clock ? 'from' : 'to'} ${name}${ends === '' ? ', and nothing takes them' : `, and nothing takes them from ${ends}`}.`,
      // what goes on has a type that something takes; a clock has none
      mend:
        ends !== ''
          ? `Let something take from ${ends}.`
          : clock
            ? `Give ${name} a target, or delete it.`
            : `Correct the types of what comes to ${name} in the file of rates, or let something take them.`,
      from: 'template',
    }
  }
}

/** What only hands on. */
const passing: ReadonlySet<MeshNode['kind']> = new Set([
  'bus',
  'rule',
  'queue',
  'topic',
  'stream',
  'api',
  'schedule',
  'pipe',
])
