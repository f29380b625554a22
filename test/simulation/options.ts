import { behaviours, labels, movings, subscribers } from './cast.ts'
import type { Chance } from './chance.ts'

/**
 * What one schedule is: how much happens in it, and what goes wrong. All is drawn from the seed. Each fault is there in
 * some schedules only, and then at a rate between rare and frequent: all of them at once would hide most of what each
 * can do.
 */
export type Options = ReturnType<typeof drawOptions>

/** Faults of single calls: probabilities of one call. */
const callFaults = [
  /** 5xx, throttle or timeout, and nothing was done */
  'refused',
  /** done, but the answer got lost */
  'lost',
  /** a timeout; it is done some seconds later */
  'late',
  /** the client tried twice: both were done, the second is answered */
  'twice',
  /** some of a batch failed, with or without effect */
  'partial',
  /** somebody else was faster, says the store */
  'conflict',
  /** the process dies before the call, or after it */
  'crashed',
  /** takes seconds */
  'slow',
] as const
export type CallFault = (typeof callFaults)[number]

/** Faults around processes and queues: probabilities of one occasion each. */
const otherFaults = {
  duplicate: 0.3,
  reorder: 0.8,
  immovable: 0.9,
  /** a handled message that could not be deleted */
  undeleted: 0.3,
  /** Lambda has no room: what was received waits for its visibility timeout */
  throttled: 0.2,
  /** the time of a message that comes again cannot be set: its queue has it come */
  unhidden: 0.5,
  /** the stream is late by up to ten minutes */
  behind: 0.3,
  /** the schedule fires twice for one minute */
  rescheduled: 0.3,
  /** a batch of the stream that comes again though it was handled */
  restreamed: 0.3,
  /** the stream never tells */
  unstreamed: 0.3,
  /** an event on a bus that its rule brings twice */
  redelivered: 0.3,
  /** that its rule cannot bring, and puts among the bus's dead letters */
  unreachable: 0.1,
  /** a status event that does not come */
  untold: 0.3,
  /** entries of one PutEvents that fail while others do not */
  unput: 0.3,
  /** a PutEvents that was done, and whose sender heard nothing */
  unheard: 0.3,
  /** the schedule misses a minute */
  unscheduled: 0.2,
} as const
export type OtherFault = keyof typeof otherFaults

/** What one subscriber acts on is down for long, and much comes for it. Times are milliseconds. */
function drawDown(
  chance: Chance,
): { subscriber: string; begin: number; end: number; unlike: boolean } | undefined {
  if (!chance.is(0.08)) return undefined
  const begin = chance.between(0, 60_000)
  return {
    subscriber: chance.pick(['mirror', 'shop']),
    begin,
    end: begin + chance.rate(60_000, 1_200_000),
    /** each event fails in a way of its own, and no circuit opens */
    unlike: chance.is(0.25),
  }
}

/** Very many others write what one subscriber changes, for so long that whoever handles its events loses each race. */
function drawHot(
  chance: Chance,
  minutes: number,
): { subscriber: string; begin: number; end: number } | undefined {
  if (minutes < 6 || !chance.is(0.06)) return undefined
  const begin = chance.between(0, 60_000)
  return { subscriber: chance.pick(['ledger', 'tail']), begin, end: begin + chance.between(180_000, 600_000) }
}

/** A rebuild waits five seconds longer than it must as clocks differ (docs/decisions/0018-replay-and-rebuild.md): half for each. */
export const clocksOfRebuilds = 2500

function drawFaults(
  chance: Chance,
  { maybe, isAlone }: { maybe: (probability: number) => boolean; isAlone: boolean },
) {
  const calls: Record<string, number> = {}
  for (const fault of callFaults)
    calls[fault] = !isAlone && maybe(0.4) ? chance.rate(0.002, fault === 'crashed' ? 0.05 : 0.12) : 0
  const others: Record<string, number> = {}
  for (const [fault, most] of Object.entries(otherFaults))
    others[fault] = maybe(0.4) ? chance.rate(fault === 'immovable' ? 0.3 : 0.02, most) : 0
  return { calls, others }
}

export function drawOptions(seed: number, chance: Chance) {
  const minutes = chance.pick([3, 6, 12, 20, 40])
  const calm = chance.is(0.05)
  const maybe = (probability: number): boolean => !calm && chance.is(probability)
  const down = drawDown(chance)
  // or what is seen of it could have another reason
  const isAlone = down !== undefined && chance.is(0.6)
  const { calls, others } = drawFaults(chance, { maybe, isAlone })
  const hot = drawHot(chance, minutes)
  const rebuilt = chance.is(0.04)
  const wanted = [down?.subscriber, hot?.subscriber, rebuilt ? 'ledger' : undefined]
  const roles = subscribers.filter((name) => wanted.includes(name) || chance.is(0.4))
  return {
    seed,
    /** events that are sent, but for what is sent again */
    events: chance.pick([3, 4, 5, 6, 8, 12]),
    /** minutes in which things are sent and go wrong */
    minutes,
    subscribers: roles.length === 0 ? subscribers.slice(0, 2) : roles,
    bursts: chance.is(0.5),
    /** some is larger than what it is meant for may be */
    oversize: chance.is(0.25),
    /** there are two projects */
    shop: chance.is(0.3),
    /** what is sent beside valid events, and how handlers behave */
    labels: labels.filter(() => chance.is(0.4)),
    behaviours: behaviours.filter(() => chance.is(0.4)),
    calls: calls as Readonly<Record<CallFault, number>>,
    others: others as Readonly<Record<OtherFault, number>>,
    /** a crash of, or a transaction in the way of, a call that comes in a few schedules only */
    seldom: !isAlone && maybe(0.9) ? chance.between(0.5, 0.9) : 0,
    /** milliseconds that clocks are wrong by at most, and that eventually consistent reads are behind */
    skew: maybe(0.4) ? chance.whole(10, rebuilt ? clocksOfRebuilds : 30_000) : 0,
    stale: maybe(0.4) ? chance.whole(100, 20_000) : 0,
    /** milliseconds that the list of a key's events is behind, which is read of the newest */
    listed: maybe(0.7) ? chance.whole(5000, 20_000) : 0,
    /** milliseconds of an ordinary call at most */
    latency: chance.pick([5, 20, 100]),
    /** times in which one dependency answers nothing but errors */
    outages: !isAlone && maybe(0.4) ? chance.whole(1, 3) : 0,
    down,
    hot,
    /** while the records of `ledger` are built anew and switched more comes for it */
    rebuilt,
    /** one subscriber's function is not called for longer than its queue keeps what lies there: days */
    standstill: maybe(0.02)
      ? {
          subscriber: chance.pick(roles.length === 0 ? ['mirror'] : (roles as [string, ...string[]])),
          days: chance.between(4.05, 5),
        }
      : undefined,
    /** another version of the code comes in the middle, and stays or is taken back */
    deploy: maybe(0.35) ? chance.pick(['stays', 'stays', 'taken back']) : undefined,
    /** what of the routes comes with it, or leaves */
    moved: chance.pick(movings),
    /** the newer code reads an old version of a type no more */
    retires: chance.is(0.3),
    /** the newer code knows one version more of a type, and writes it */
    newVersion: chance.is(0.5),
    /** minutes between two passes of the sweep */
    sweepEvery: minutes > 12 ? chance.pick([2, 3, 5]) : chance.pick([1, 2]),
    /** how many runs wait for a person */
    approvals: maybe(0.5) ? 0.6 : 0,
    /** people mend things while they go on */
    operators: chance.is(0.6) ? chance.whole(1, 6) : 0,
  }
}
