import { createHmac } from 'node:crypto'
import type { Chance } from './chance.ts'
import type { Lambda, SimulatedFunction } from './lambda.ts'
import type { Observed } from './observed.ts'
import type { Options, OtherFault } from './options.ts'
import { orderedLetters } from './queue-settings.ts'
import type { SimulatedQueues } from './queues.ts'
import type { Scheduler } from './scheduler.ts'

export type CloudEvent = Record<string, unknown> & { id: string; source: string; type: string }

/** What somebody sent, and what they were told: only what was accepted must not be lost. */
export type Sending = {
  event: CloudEvent
  project: string
  door: 'http' | 'bus' | 'webhook'
  /** what becomes of it if nothing goes wrong */
  kind: 'valid' | 'invalid' | 'newer' | 'garbage' | 'oversize'
  /** found in whatever is kept of it */
  marker: string
  accepted: boolean
  /** of the last answer */
  outcome?: string | undefined
}

/** What has come onto a queue and is nothing of ours. */
export const isGarbage = (body: string): boolean => body.startsWith('{"garbage"')

export const secret = 'a secret of the simulation'
const accounts: Readonly<Record<string, string>> = { '111122223333': 'main', '444455556666': 'shop' }
export const accountProjects = accounts
const accountOf = (project: string): string =>
  Object.keys(accounts).find((account) => accounts[account] === project) ?? ''

type Answer = { status: number; body: unknown }

/** The outsiders: they send, and send again while nobody has told them that it came. */
export function doors({
  time,
  chance,
  options,
  observed,
  lambda,
  ingest,
  queues,
  rate,
  ordered,
}: {
  time: Scheduler
  chance: Chance
  options: Options
  observed: Observed
  lambda: Pick<Lambda, 'invoke'>
  ingest: SimulatedFunction
  queues: SimulatedQueues
  rate: (fault: OtherFault) => number
  /** subscribers whose queues keep order */
  ordered: readonly string[]
}) {
  const sendings: Sending[] = []
  let waiting = 0
  let envelopes = 0

  function request(
    path: string,
    headers: Record<string, string>,
    body: string,
    answered: (answer?: Answer) => void,
  ) {
    const event = { method: 'POST', path, headers, body: Buffer.from(body) }
    lambda.invoke(ingest, event, (end) => {
      // what the function says, the sender may never hear
      const heard = 'value' in end && !chance.is(rate('unreachable'))
      answered(heard ? (end.value as Answer) : undefined)
    })
  }

  /** Until there is an answer that says what became of it, some times. */
  function insist(attempt: (done: (settled: boolean) => void) => void, tries = 4): void {
    waiting++
    const once = (left: number): void =>
      attempt((settled) => {
        if (settled || left === 0) waiting--
        else time.after(chance.between(500, 20_000), 'sender tries again', () => once(left - 1))
      })
    once(tries)
  }

  function heard(
    sending: Sending,
    { status, outcome }: { status: number; outcome?: string | undefined },
  ): void {
    if (status < 300) sending.accepted = true
    if (status === 413 && sending.kind === 'oversize') observed.sometimes('an event is too large')
    else if (status === 413)
      observed.violated({
        invariant: 'what is too large is refused alone',
        message: `${sending.event.id} was answered 413, and is not too large`,
        id: sending.event.id,
      })
    sending.outcome = outcome ?? String(status)
    observed.step(sending.event.id, () => `${sending.door} answers ${status} ${sending.outcome}`)
  }

  function byHttp(batch: readonly Sending[]): void {
    const [first] = batch
    if (first === undefined) return
    const several = batch.length > 1
    const headers = {
      authorization: `Bearer ${first.project}`,
      'content-type': `application/cloudevents${several ? '-batch' : ''}+json`,
    }
    const body = JSON.stringify(several ? batch.map(({ event }) => event) : first.event)
    insist((done) =>
      request('/events', headers, body, (answer) => {
        if (answer === undefined || answer.status >= 500) return done(false)
        const parts = (
          several && Array.isArray(answer.body) ? answer.body : [{ ...answer, ...(answer.body as object) }]
        ) as {
          status: number
          outcome?: string
        }[]
        for (const [index, sending] of batch.entries()) {
          const part = parts[index]
          if (part !== undefined) heard(sending, part)
        }
        done(parts.every(({ status }) => status < 500))
      }),
    )
  }

  function byWebhook(sending: Sending): void {
    const body = JSON.stringify(sending.event.data)
    const headers = {
      'x-github-event': 'push',
      'x-github-delivery': sending.event.id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    }
    // GitHub itself does not try again: somebody asks it to
    insist(
      (done) =>
        request(`/webhooks/github/${sending.project}`, headers, body, (answer) => {
          if (answer === undefined || answer.status >= 500) return done(false)
          heard(sending, { status: answer.status, ...(answer.body as object) })
          done(true)
        }),
      chance.whole(0, 4),
    )
  }

  /** PutEvents: some entries may fail, and only those are put again; all of them where no answer came. */
  function byBus(batch: readonly Sending[]): void {
    let left = batch
    insist((done) => {
      const isHeard = !chance.is(rate('unheard'))
      const failed = left.filter((sending) => !put(sending, isHeard))
      if (!isHeard) {
        observed.sometimes('the answer to a PutEvents gets lost')
        return time.after(50, 'PutEvents is not answered', () => done(false))
      }
      if (failed.length > 0 && failed.length < left.length)
        observed.sometimes('some entries of a sender’s PutEvents fail')
      left = failed
      if (left.length === 0) return done(true)
      return time.after(50, 'PutEvents fails', () => done(false))
    })
  }

  /** Whether one entry was taken. */
  function put(sending: Sending, isHeard: boolean): boolean {
    if (chance.is(rate('unput'))) return false
    const envelope = JSON.stringify({
      version: '0',
      id: `eb-${envelopes++}`,
      source: 'simulated',
      account: accountOf(sending.project),
      time: new Date(time.now()).toISOString(),
      region: 'us-east-1',
      resources: [],
      'detail-type': sending.event.type,
      detail: sending.event,
    })
    bring(envelope)
    if (chance.is(rate('redelivered'))) bring(envelope)
    if (isHeard) heard(sending, { status: 200, outcome: 'put' })
    return true
  }

  /** The inbox bus's one rule. */
  function bring(envelope: string): void {
    time.after(chance.between(20, 2000), 'inbox rule', () => {
      if (chance.is(rate('unreachable'))) {
        observed.sometimes('a rule cannot reach its target')
        queues.put('bus-dead-letters', envelope, {
          RULE_ARN: 'arn:aws:events:us-east-1:111122223333:rule/loadpath-test-inbox',
        })
      } else queues.put('record', envelope, { queue: 'record' })
    })
  }

  return {
    sendings,
    waiting: () => waiting,
    send(sending: Sending): void {
      sendings.push(sending)
      observed.step(sending.event.id, () => `${sending.kind} ${sending.event.type} by ${sending.door}`)
      if (sending.door === 'http') byHttp([sending])
      else if (sending.door === 'webhook') byWebhook(sending)
      else byBus([sending])
    },
    sendBatch(batch: readonly Sending[]): void {
      sendings.push(...batch)
      if (batch[0]?.door === 'bus') byBus(batch)
      else byHttp(batch)
    },
    /**
     * No event, and no frame of ours: it has come onto a queue all the same. An ordered one hands it out a thousand times,
     * once a minute, before it is a dead letter: most of these are over when all begins.
     */
    garbage(text: string, project: string, queue: string): void {
      sendings.push({
        event: { id: text, source: '', type: '' },
        project,
        door: 'bus',
        kind: 'garbage',
        marker: text,
        accepted: true,
      })
      const of = { 'dead-letters': 'record', [orderedLetters]: ordered[0] ?? 'follow' }[queue] ?? queue
      if (queue !== orderedLetters && !ordered.includes(queue)) {
        queues.put(queue, text, { queue: of })
        return
      }
      observed.sometimes(`garbage lies ${queue === of ? 'on an ordered queue' : 'among the ordered letters'}`)
      // by itself, or amid what waits for its turn there
      const [group = 'garbage'] = chance.shuffled(queues.all(queue).flatMap((message) => message.group ?? []))
      queues.put(queue, text, { queue: of }, { group, receives: queue === of ? chance.whole(992, 999) : 0 })
    },
    latency: () => chance.between(0, options.latency),
  }
}
