import { deploymentFailed } from '../../events/deployment.failed.ts'
import { githubPush } from '../../events/github.push.ts'
import type { Label } from './cast.ts'
import type { Chance } from './chance.ts'
import type { CloudEvent, Sending } from './doors.ts'
import { nextSchema } from './newer-code.ts'
import { fats, tooLargeForEvent } from './oversize.ts'
import { orderedLetters } from './queue-settings.ts'

/** What is sent in one schedule: some new events, and whatever its labels say beside them. */

export type Deed =
  /** `late`: milliseconds after what is down has gone down */
  | { kind: 'send'; sending: Sending; late?: number }
  | { kind: 'batch'; sendings: Sending[] }
  | { kind: 'garbage'; text: string; project: string; queue: string }
  | { kind: 'declare'; project: string; repository: string; deployBranch: string }

const repositories = ['octo/hello', 'octo/world'] as const

type Made = { event: CloudEvent; marker: string; webhook: boolean }

export function workload(
  chance: Chance,
  {
    events,
    labels,
    shop,
    down,
    standing,
    queues,
    oversize,
  }: {
    events: number
    labels: readonly Label[]
    shop: boolean
    down?: { subscriber: string } | undefined
    standing?: string | undefined
    queues: readonly string[]
    oversize: boolean
  },
): Deed[] {
  const may = (label: Label, probability = 0.5): boolean => labels.includes(label) && chance.is(probability)
  const deeds: Deed[] = []
  let count = 0

  function fresh(): Made {
    const n = count++
    const marker = `marker${n}x`
    const repository = chance.pick(repositories)
    const base = { specversion: '1.0' as const }
    const pad = may('large', 0.2) ? { pad: 'x'.repeat(70_000) } : {}
    switch (chance.whole(0, 5)) {
      case 0:
      case 1: {
        const data = {
          ...githubPush.example,
          ...pad,
          ref: 'refs/heads/main',
          after: marker,
          repository: { full_name: repository, html_url: `https://github.com/${repository}` },
        }
        const event = {
          ...base,
          id: `push-${n}`,
          source: `https://github.com/${repository}`,
          type: 'github.push',
          data,
        }
        return { marker, event, webhook: true }
      }
      case 2:
      case 3: {
        const about = { repository, branch: 'main', commit: marker, suite: 'unit' }
        const newest = { ...about, passed: 3, failed: chance.whole(0, 1), skipped: 0 }
        const data = may('older') ? { ...about, total: 3, failures: chance.whole(0, 1) } : newest
        return {
          marker,
          event: { ...base, id: `tests-${n}`, source: '/ci', type: 'test.completed', data },
          webhook: false,
        }
      }
      case 4: {
        const data = { marker, ...pad, ...(may('loops') ? { loops: true } : {}), ...fat() }
        const event = { ...base, id: `order-${n}`, source: '/shop', type: 'acme.ordered', data }
        const partitionkey = chance.pick(['order/1', 'order/2'])
        return { marker, event: { ...event, partitionkey }, webhook: false }
      }
      default: {
        const data = { ...deploymentFailed.example, repository, reason: marker }
        return {
          marker,
          event: { ...base, id: `failed-${n}`, source: '/cd', type: 'deployment.failed', data },
          webhook: false,
        }
      }
    }
  }

  const fat = () => (oversize && chance.is(0.6) ? { fat: chance.pick(fats) } : {})

  /** One that no door takes. */
  const tooLarge = (project: string): Sending => {
    const { event, marker } = different(fresh(), (n) => ({ id: `oversize-${n}` }))
    const data = { ...(event.data as object), pad: 'x'.repeat(tooLargeForEvent) }
    return { event: { ...event, data }, marker, project, door: 'http', kind: 'oversize', accepted: false }
  }

  const sent = (made: Made, given: Partial<Sending> = {}): Sending => ({
    event: made.event,
    marker: made.marker,
    project: shop && chance.is(0.3) ? 'shop' : 'main',
    door: made.webhook && chance.is(0.5) ? 'webhook' : chance.pick(['http', 'bus']),
    kind: 'valid',
    accepted: false,
    ...given,
  })
  const send = (sending: Sending): void => void deeds.push({ kind: 'send', sending })
  const elsewhere = (sending: Sending): Sending =>
    // a webhook's identity is made of its body; by another door it is sent as that event
    sending.door === 'webhook'
      ? { ...sending, accepted: false }
      : { ...sending, accepted: false, door: chance.pick(['http', 'bus']) }

  function different(
    made: Made,
    given: (n: number, marker: string) => Partial<CloudEvent> = () => ({}),
  ): Made {
    const n = count++
    const marker = `marker${n}x`
    const text = JSON.stringify(made.event).replaceAll(made.marker, marker)
    return { marker, webhook: false, event: { ...(JSON.parse(text) as CloudEvent), ...given(n, marker) } }
  }

  /** Several in one request, or in one PutEvents; one of them twice, now and then. */
  function together(first: Sending): void {
    const door = chance.pick(['http', 'bus'] as const)
    const sendings = [first, sent(fresh()), sent(fresh())].map(
      (sending): Sending => ({ ...sending, door, project: first.project }),
    )
    if (may('again', 0.3)) sendings.push({ ...first, door })
    // in the midst of what is well
    if (oversize && door === 'http' && chance.is(0.4)) sendings.splice(1, 0, tooLarge(first.project))
    deeds.push({ kind: 'batch', sendings })
  }

  /** The same once more, and what only looks like it. */
  function alike(one: Made, first: Sending): void {
    while (may('again', 0.4)) send(elsewhere(first))
    if (first.door === 'webhook') {
      if (may('copied webhook')) send({ ...first, event: { ...one.event, id: `${one.event.id}-copy` } })
      return
    }
    const other = () => ({ source: '/elsewhere' })
    if (may('other source')) send({ ...sent(different(one, other)), project: first.project, door: 'http' })
    if (may('conflict', 0.3)) send({ ...first, ...different(one), door: chance.pick(['http', 'bus']) })
  }

  /** What the gate must not let through. */
  function unfit(one: Made): void {
    if (may('invalid', 0.3)) send(sent(different(one, bad), { kind: 'invalid' }))
    if (may('forged', 0.3)) send(sent(different(one, forged), { kind: 'invalid' }))
    if (may('newer', 0.3) && one.event.type === 'test.completed')
      send(sent(different(one, newer), { kind: 'newer', door: 'bus' }))
    if (may('next version') && one.event.type === 'test.completed') send(sent(different(one, following)))
    if (may('garbage', 0.2)) {
      const letters = chance.pick(['dead-letters', orderedLetters])
      const drawn = chance.pick(['record', letters, ...chance.shuffled(queues).slice(0, 3)])
      // what lies for longer than its queue keeps it is gone, and nothing of it is recorded that could be sent again
      const queue = drawn === standing ? 'record' : drawn
      deeds.push({
        kind: 'garbage',
        text: `{"garbage": ${count++}${chance.pick(['', '}'])}`,
        project: 'main',
        queue,
      })
    }
  }

  for (let made = 0; made < events; made++) {
    const one = fresh()
    const first = sent(one)
    if (may('batch', 0.2)) together(first)
    else {
      send(first)
      alike(one, first)
    }
    unfit(one)
    if (oversize && chance.is(0.1)) send(tooLarge(first.project))
    while (may('command'))
      deeds.push({
        kind: 'declare',
        project: first.project,
        repository: chance.pick(repositories),
        deployBranch: `branch-${count++}`,
      })
  }
  for (let count = 0; down !== undefined && count < eventsForDown; count++)
    deeds.push({ kind: 'send', sending: forDown(down.subscriber, count), late: lateness(chance, count) })
  return deeds
}

/** What comes for a subscriber while what it acts on is down: much at once, and some when that is tried again. */
export const eventsForDown = 20
const atOnce = 12
const lateness = (chance: Chance, count: number): number =>
  count < atOnce
    ? chance.between(0, 5000)
    : 32_000 + 20_000 * Math.floor((count - atOnce) / 4) + chance.between(0, 300)

function forDown(subscriber: string, n: number): Sending {
  const marker = `down${n}x`
  const base = { specversion: '1.0' as const, id: `down-${n}` }
  const event: CloudEvent =
    subscriber === 'shop'
      ? { ...base, source: '/shop', type: 'acme.ordered', data: { marker }, partitionkey: `order/1#${n}` }
      : {
          ...base,
          source: '/cd',
          type: 'deployment.failed',
          data: { ...deploymentFailed.example, repository: `octo/r${n}`, reason: marker },
        }
  return { event, marker, project: 'main', door: 'http', kind: 'valid', accepted: false }
}

/** What comes while something is rebuilt. */
export const meanwhile = (): Deed[] =>
  Array.from({ length: 8 }, (_, n): Deed => {
    const marker = `meanwhile${n}x`
    const base = { specversion: '1.0' as const, id: `meanwhile-${n}`, source: '/shop', type: 'acme.ordered' }
    const event = { ...base, data: { marker }, partitionkey: `order/${1 + (n % 2)}` }
    return {
      kind: 'send',
      sending: { event, marker, project: 'main', door: 'http', kind: 'valid', accepted: false },
    }
  })

const forged = (n: number) => ({ id: `forged-${n}`, type: 'build.status-changed' })
const bad = (n: number, marker: string) => ({ id: `bad-${n}`, type: 'test.completed', data: { marker } })
const following = (n: number) => ({ id: `next-${n}`, dataschema: nextSchema })
const newer = (n: number) => ({
  id: `newer-${n}`,
  dataschema: 'https://loadpath.dev/schemas/test.completed/9',
})
