import type { ElementOf } from '../model.ts'
import { retentionOf } from '../static/tries.ts'
import type { Facts, Rule } from './facts.ts'
import { type BareFinding, shown } from './finding.ts'

/** A record that always fails stops its shard until it expires, and whatever it stops expires with it. */
export const streamPollUnbounded: Rule = function* (facts) {
  for (const poll of facts.elements('poll')) {
    const stream = facts.node(poll.from)
    if (
      !facts.live(poll) ||
      poll.provenance === 'inferred' ||
      (stream?.kind !== 'stream' && stream?.kind !== 'table')
    )
      continue
    const found = judged(facts, poll, retentionOf(stream))
    if (found !== undefined) yield found
  }
}

function judged(facts: Facts, poll: ElementOf<'poll'>, retention: number): BareFinding | undefined {
  const name = facts.nameOf(poll)
  const { attempts, maxAge } = poll
  const seconds = `${shown(Math.min(retention, maxAge ?? retention))} s`
  const until = typeof attempts === 'number' ? `${attempts} attempts, at most ${seconds}` : `up to ${seconds}`
  const held = `A record of ${name} that always fails holds up its shard for ${until}`
  if (!isKept(facts, poll))
    return {
      ...{ at: poll.id, severity: 'high', measured: 0, limit: 1, unit: 'on-failure destinations' },
      says: `${held}, and is lost then.`,
      mend: `Give ${name} ${lacking(poll, lettersOf(facts, poll).length > 0)}.`,
      from: 'template',
    }
  if (poll.attempts === null && poll.maxAge === null)
    return {
      ...{ at: poll.id, severity: 'medium', measured: retention, limit: null, unit: 's' },
      says: `${held}: nothing gives it up before it expires.`,
      mend: `Give ${name} a maximum of attempts and of age.`,
      from: 'template',
    }
  if (poll.bisect === false && poll.batch > 1)
    return {
      ...{ at: poll.id, severity: 'low', measured: poll.batch, limit: 1, unit: 'records' },
      says: `One bad record of ${name} has all of its batch of up to ${poll.batch} tried again, and given up with it.`,
      mend: `Let ${name} bisect a batch that fails (BisectBatchOnFunctionError).`,
      from: 'template',
    }
  return undefined
}

/** `unheard`: it has a destination where nothing listens. */
function lacking({ attempts, maxAge, bisect, batch }: ElementOf<'poll'>, unheard: boolean): string {
  const isOpen = typeof attempts !== 'number' && typeof maxAge !== 'number'
  const more = [
    ...(isOpen ? ['a maximum of attempts and of age'] : []),
    ...(bisect !== true && batch > 1 ? ['let it bisect a batch that fails'] : []),
  ]
  return [`an on-failure destination${unheard ? ' that something listens to' : ''}`, ...more].join(', and ')
}

const isKept = (facts: Facts, poll: ElementOf<'poll'>): boolean =>
  lettersOf(facts, poll).some(({ unheard }) => unheard !== true)

const lettersOf = ({ leaving }: Facts, { from, to }: ElementOf<'poll'>): ElementOf<'dead-letter'>[] => [
  ...leaving(from, 'dead-letter'),
  ...leaving(to, 'dead-letter').filter(({ of }) => of === 'poll'),
]
