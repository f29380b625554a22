import { approvalsAreAnswered } from './approval-operators.ts'
import { booksTellWhatIsSo } from './books.ts'
import { circuitsClose, circuitsOpen, circuitsOpenOnLikes } from './circuits.ts'
import { deathsHaveTheirReason } from './deaths.ts'
import type { Sending } from './doors.ts'
import { chainsEnd, emissionsAreRecorded, ordersAreKept, sequencesAreRecordedInOrder } from './emitted.ts'
import { eventsOf, type Held, type Invariant, marksOf, routeOf, type Wrong } from './held.ts'
import { closedLanesHoldSomething, jobsEnd, parkedHasItsReason, replaysEmitWhenAsked } from './held-back.ts'
import { jobsKeepTheirRate, jobsSendWhileTheyMay } from './jobs-seen.ts'
import { allMeantAreSent, othersAreLeft } from './meant.ts'
import { deathsAreTold, mendsAreTold, redrivesComeToAll, replaysComeToAll } from './mended.ts'
import { deliveryText, textOfEvent } from './observed.ts'
import { quarantineIsSettledOnce } from './quarantined.ts'
import { replaysComeToNoOther, runsAreThere } from './replayed.ts'

/** What must hold when faults have stopped and everything has come to rest: one function each, by its name. */

/** Whatever was accepted is in history as it was sent, or in quarantine where a person finds it. */
async function nothingAcceptedIsLost(held: Held): Promise<Wrong[]> {
  const { stage } = held
  const { events, quarantined } = stage.stored.real.history.all()
  const texts = await Promise.all(
    [
      ...events.map(({ event }) => ({ of: event.id, data: event.data, ref: event.dataref })),
      ...quarantined.map(({ raw, rawref }) => ({ of: '', data: raw, ref: rawref })),
    ].map(async ({ of, data, ref }) => {
      const body = ref === undefined ? undefined : await stage.stored.bodies.get(ref)
      return { of, text: body === undefined ? JSON.stringify(data) : Buffer.from(body).toString() }
    }),
  )
  const isKept = ({ event, marker, kind }: Sending): boolean =>
    texts.some(({ of, text }) =>
      of === ''
        ? text.includes(kind === 'garbage' ? JSON.stringify(marker).slice(1, -1) : marker)
        : of === event.id && text.includes(marker),
    )
  return stage.doors.sendings
    .filter((sending) => sending.accepted && !isKept(sending))
    .map(({ event, door, outcome }) => ({
      message: `${event.source} ${event.id} was accepted by ${door} (${outcome}) and is neither in history nor in quarantine`,
      id: event.id,
    }))
}

function nothingInvalidIsRecorded({ stage, observed }: Held): Wrong[] {
  return stage.doors.sendings
    .filter(({ kind }) => kind !== 'valid')
    .filter(({ event: { source, id }, project }) => observed.events.has(`${project} ${source} ${id}`))
    .map(({ event, kind }) => ({
      message: `${event.source} ${event.id} is ${kind} and was recorded`,
      id: event.id,
    }))
}

/** A conflict needs two that differ under one identity: another source, or the same again, is none. */
function conflictsAreReal({ stage }: Held): Wrong[] {
  const { quarantined } = stage.stored.real.history.all()
  return quarantined
    .filter(({ reason }) => reason === 'conflict')
    .filter(({ project, source, id }) => {
      const same = stage.doors.sendings.filter(
        (sending) =>
          sending.project === project && sending.event.source === source && sending.event.id === id,
      )
      return new Set(same.map(({ marker }) => marker)).size < 2
    })
    .map(({ source, id }) => ({
      message: `${source} ${id} is quarantined as a conflict and never differed`,
      id,
    }))
}

/** Every expected delivery is done, or visibly dead, parked or dropped. */
function theBooksBalance(held: Held): Wrong[] {
  const { observed } = held
  return eventsOf(held).flatMap(({ event, expects }) =>
    expects.flatMap((subscriber) => {
      const { project, source, id } = event
      const delivery = deliveryText({ project, source, id, subscriber, replay: '' })
      const mark = observed.deliveries.get(delivery)
      if (mark === undefined)
        return [{ message: `${delivery} is missing: it was expected and has no mark`, id }]
      return mark.state === 'retrying'
        ? [{ message: `${delivery} is retrying for ever: ${mark.reason}`, id }]
        : []
    }),
  )
}

function onlyTheExpected(held: Held): Wrong[] {
  const { observed } = held
  return marksOf(held)
    .filter(({ replay }) => replay === '')
    .filter((mark) => !observed.events.get(textOfEvent(mark))?.stored.expects.includes(mark.subscriber))
    .map((mark) => ({ message: `${deliveryText(mark)} was not expected and is ${mark.state}`, id: mark.id }))
}

/** Of class state: one change for each delivery that is done, and none for any other. */
function stateChangesOnce(held: Held): Wrong[] {
  const { observed, stage } = held
  const twice = [...observed.commits]
    .filter(([, times]) => times > 1)
    .map(([delivery, times]) => ({ message: `${delivery} was committed ${times} times` }))
  const kinds = ['ledger', 'tail', 'fold', 'leaving', 'coming']
  const entries = new Map<string, number>()
  for (const { kind, project, value } of stage.stored.real.memory.all().records)
    if (kinds.includes(kind))
      for (const entry of (value as { entries: string[] }).entries) {
        const delivery = `${project} ${entry} -> ${kind}`
        entries.set(delivery, (entries.get(delivery) ?? 0) + 1)
      }
  const uncounted = marksOf(held)
    // what comes or leaves with a deployment may be of either effect
    .filter(({ subscriber }) => kinds.includes(subscriber) && routeOf(held, subscriber)?.effect === 'state')
    .filter(({ replay }) => replay === '')
    .flatMap((mark) => {
      const times = entries.get(deliveryText(mark)) ?? 0
      const wanted = mark.state === 'done' ? 1 : 0
      if (times === wanted) return []
      return [
        {
          message: `${deliveryText(mark)} is ${mark.state} and its change is there ${times} times`,
          id: mark.id,
        },
      ]
    })
  return [...twice, ...uncounted]
}

/** Of class outside: what is done has been acted on, under one key that is nobody else's. */
function outsideActsUnderOneKey(held: Held): Wrong[] {
  const { observed } = held
  const owners = new Map<string, string>()
  const keys = [...observed.effects].flatMap(([delivery, effects]): Wrong[] => {
    const different = new Set(effects)
    const [key = ''] = different
    const other = owners.get(key)
    owners.set(key, delivery)
    if (different.size > 1)
      return [{ message: `${delivery} was acted on under ${different.size} idempotency keys` }]
    return other === undefined ? [] : [{ message: `${delivery} and ${other} share an idempotency key` }]
  })
  const undone = marksOf(held)
    .filter((mark) => mark.state === 'done' && routeOf(held, mark.subscriber)?.effect === 'outside')
    .filter((mark) =>
      mark.subscriber === 'publish'
        ? !observed.published.has(textOfEvent(mark))
        : !observed.effects.has(deliveryText(mark)),
    )
    .map((mark) => ({ message: `${deliveryText(mark)} is done and was never acted on`, id: mark.id }))
  return [...keys, ...undone]
}

/** No message is run more often than its route allows. */
function attemptsAreBounded(held: Held): Wrong[] {
  return [...held.observed.runs].flatMap(([delivery, runs]) => {
    const subscriber = delivery.split(' -> ')[1]?.split(' ')[0] ?? ''
    const { attempts = 0, ordered } = routeOf(held, subscriber) ?? {}
    // a mark that is written late may undo the counting of a later one
    if (ordered && held.observed.guessed.has('how often it was tried')) return []
    // a crash at the first receive of an ordered message is not counted, nor are those after a wait for newer code
    const more = ordered ? 1 : held.stage.waitsForCode ? 3 : 0
    // and they begin anew with each redrive
    const anew = 1 + (held.observed.reopened.get(delivery)?.length ?? 0)
    // races that were lost until the time was over were none either: the mark counts them, whichever of two messages it was
    const most = (attempts + more) * anew + (held.observed.uncounted.get(delivery) ?? 0)
    // a race lost to others is decided again within one attempt
    return [...Map.groupBy(runs, ({ message }) => message)].flatMap(([message, own]) => {
      const attempted = new Set(own.map(({ since }) => since)).size
      if (attempted <= most) return []
      return [
        {
          message: `${delivery}: message ${message} was tried ${attempted} times, at most ${most} are allowed`,
        },
      ]
    })
  })
}

/** Of an event one message goes out to each of its subscribers; whatever goes out later says so. */
function newsIsSentOnce({ observed }: Held): Wrong[] {
  return [...observed.sentAsNew]
    .filter(([, times]) => times > 1)
    .map(([delivery, times]) => ({ message: `${delivery} was sent as new ${times} times` }))
}

/** The same signed body under another id is recorded for nobody. */
function copiesExpectNobody(held: Held): Wrong[] {
  if (held.observed.guessed.size > 0) return []
  const pushes = eventsOf(held).filter(
    ({ event }) => event.door === 'http' && event.actor === 'service:github',
  )
  const bodies = Map.groupBy(pushes, ({ event, content }) => `${event.project} ${content}`)
  return [...bodies].flatMap(([, copies]) => {
    const originals = copies.filter(({ event }) => event.duplicateof === undefined)
    if (originals.length === 1) return []
    const ids = copies.map(({ event }) => event.id).join(', ')
    return [
      {
        message: `of the webhooks ${ids} with one body ${originals.length} are taken for new`,
        id: copies[0]?.event.id,
      },
    ]
  })
}

function nothingIsLeftBehind({ stage }: Held): Wrong[] {
  const left = stage.stored.real.memory.all().outbox
  return left.map(({ partitionkey, sequence }) => ({
    message: `${partitionkey} ${sequence} is still in the outbox`,
  }))
}

/** The end of a run is told, if not by Step Functions then by the sweep, once it is known that it was started. */
function endsOfRunsAreTold(held: Held): Wrong[] {
  const { observed } = held
  const told = new Set(eventsOf(held).map(({ event }) => event.id))
  return observed.ended
    .filter(({ startedBy }) => observed.deliveries.get(startedBy)?.state === 'done')
    .filter(({ workflow, name, status }) => !told.has(`${workflow}/${name}/${status}`))
    .map(({ workflow, name, status }) => ({
      message: `run ${name} of ${workflow} ended ${status} and nobody was told`,
    }))
}

export const invariants: Readonly<Record<string, Invariant>> = {
  'nothing accepted is lost': nothingAcceptedIsLost,
  'nothing invalid is recorded': nothingInvalidIsRecorded,
  'conflicts are real': conflictsAreReal,
  'the books balance': theBooksBalance,
  'only the expected': onlyTheExpected,
  'state changes once': stateChangesOnce,
  'outside acts under one key': outsideActsUnderOneKey,
  'attempts are bounded': attemptsAreBounded,
  'emissions are recorded': emissionsAreRecorded,
  'sequences are recorded in order': sequencesAreRecordedInOrder,
  'orders are kept': ordersAreKept,
  'chains end': chainsEnd,
  'news is sent once': newsIsSentOnce,
  'copies expect nobody': copiesExpectNobody,
  'nothing is left behind': nothingIsLeftBehind,
  'ends of runs are told': endsOfRunsAreTold,
  'what is parked has its reason': parkedHasItsReason,
  'circuits open': circuitsOpen,
  'circuits open on what is alike': circuitsOpenOnLikes,
  'circuits close': circuitsClose,
  'closed lanes hold something': closedLanesHoldSomething,
  'jobs end': jobsEnd,
  'replays emit when they are asked to': replaysEmitWhenAsked,
  'replays come to all': replaysComeToAll,
  'redrives come to all': redrivesComeToAll,
  'replays come to no other': replaysComeToNoOther,
  'others are left': othersAreLeft,
  'all that is meant is sent': allMeantAreSent,
  'jobs send while they may': jobsSendWhileTheyMay,
  'jobs keep their rate': jobsKeepTheirRate,
  'runs are there': runsAreThere,
  'mends are told': mendsAreTold,
  'deaths are told': deathsAreTold,
  'deaths have their reason': deathsHaveTheirReason,
  'quarantine is settled once': quarantineIsSettledOnce,
  'approvals are answered': approvalsAreAnswered,
  'the books tell what is so': booksTellWhatIsSo,
}
