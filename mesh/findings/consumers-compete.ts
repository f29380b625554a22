import type { Rule } from './facts.ts'

/** Consumers of one queue each get a part of it; one that filters deletes what it does not want, the others' part too. */
export const consumersCompete: Rule = function* ({ nodes, leaving, live, node }) {
  for (const { id, name } of nodes('queue')) {
    const polls = leaving(id, 'poll').filter(live)
    const consumers = new Set(polls.map(({ to }) => to))
    if (consumers.size < 2) continue
    const filtered = polls.some((poll) => poll.filtered || poll.types !== null)
    const names = [...consumers].map((to) => node(to)?.name ?? to).toSorted()
    yield {
      at: id,
      severity: filtered ? 'high' : 'medium',
      measured: consumers.size,
      limit: 1,
      unit: 'consumers',
      says: `${names.join(' and ')} take from ${name}: each message goes to one of them only${filtered ? ', and what the filter of the one that got it refuses is deleted' : ''}.`,
      mend: `Give each consumer of ${name} a queue of its own behind a topic or a bus.`,
      from: 'template',
    }
  }
}
