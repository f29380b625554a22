import type { InsertVerdict, RecordKey } from '../../core/ports.ts'
import type { Generation } from './cast.ts'
import type { Chance } from './chance.ts'
import { meetsTransaction } from './conflicts.ts'
import type { Observed } from './observed.ts'
import type { CallFault, Options } from './options.ts'
import { type Scheduler, still } from './scheduler.ts'
import type { Entry, Put, Unsent } from './wire.ts'

/** One environment of a function, as Lambda keeps it, or one process of somebody else. */
export type Process = {
  id: number
  kind: string
  alive: boolean
  /** milliseconds that its clock is wrong by */
  skew: number
  generation: Generation
  /** its function has been called for this; hears of its death */
  died: (why: string) => void
}

export type Calls = ReturnType<typeof callsThroughFaults>

type Act = (...args: never[]) => unknown
type Answer = { value: unknown } | { error: unknown }

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name })

/**
 * Every call of a port: it begins, takes effect and is answered in three steps that others come between, and whatever is
 * wrong in this schedule goes wrong here.
 */
export function callsThroughFaults({
  time,
  chance,
  options,
  observed,
  unsafe,
  isOut,
  ofOrdered,
}: {
  time: Scheduler
  chance: Chance
  options: Options
  observed: Observed
  /** whether faults happen now */
  unsafe: () => boolean
  /** whether a dependency answers nothing but errors now */
  isOut: (port: string, target: string, method: string) => boolean
  /** whether it handles what keeps order: what was held in a queue is looked up before it is run */
  ofOrdered: (process: Process) => boolean
}) {
  const rates = Object.entries(options.calls).filter(([, rate]) => rate > 0) as [CallFault, number][]

  function drawn(): CallFault | undefined {
    if (!unsafe() || rates.length === 0) return undefined
    let left = chance.random()
    for (const [fault, rate] of rates) {
      left -= rate
      if (left >= 0) continue
      observed.faults.count++
      return fault
    }
    return undefined
  }

  /** Of many calls only a few are of these, and each of them has a before and an after. */
  function seldomDrawn(port: string, method: string): 'crashed' | 'conflict' | undefined {
    if (!unsafe()) return undefined
    const share = seldomest[nameOf(port, method)] ?? 0
    const crashes = seldom.has(method) ? options.calls.crashed * (port === 'lanes' ? 40 : 8) : 0
    const isFew = chance.is(share * options.seldom)
    if (!isFew && !chance.is(Math.min(0.4, crashes))) return undefined
    observed.faults.count++
    return isFew && chance.is(0.35) ? 'conflict' : 'crashed'
  }

  function kill(process: Process, why: string): void {
    if (!process.alive) return
    process.alive = false
    observed.faults.count++
    observed.step('', () => `${process.kind} #${process.id} ${why}`)
    process.died(why)
  }

  const failure = (): Error =>
    chance.pick([
      named('ThrottlingException', 'Rate exceeded'),
      named('InternalServerError', 'the service has failed'),
      named('NetworkError', 'no answer within 2000 ms'),
    ])

  /** Performs the call, whole or in part. */
  async function perform({ fault, port, method, args, act }: Call): Promise<Answer> {
    try {
      const met = fault === 'conflict' ? meetsTransaction(nameOf(port, method), args) : undefined
      if (met !== undefined) {
        observed.sometimes(`${nameOf(port, method)} meets a transaction`)
        return met
      }
      if (fault === 'partial' && method === 'send') return { value: await partialSend(args, act) }
      if (fault === 'partial' && method.startsWith('insert')) return { value: await partialInsert(args, act) }
      if (fault === 'partial' && method === 'put') return { value: await partialPut(args, act) }
      const value = await act(...args)
      if (fault === 'twice' && isRepeatable(method)) return { value: await act(...args) }
      return { value }
    } catch (error) {
      return { error }
    }
  }

  async function partialSend(args: unknown[], act: Act): Promise<Unsent[]> {
    const [queue, entries] = args as [string, Entry[]]
    const withEffect = chance.is(0.3)
    const fate = entries.map(() => (chance.is(0.4) ? (withEffect ? 'sent, not said' : 'failed') : 'sent'))
    observed.sometimes('some messages of a batch are not sent')
    const tried = entries.filter((_, index) => fate[index]?.startsWith('sent'))
    const refused = (await act(...([queue, tried] as never[]))) as Unsent[]
    return entries.flatMap(({ Id }, index) => {
      const own = refused.find((one) => one.Id === Id)
      if (own !== undefined || fate[index] === 'sent') return own ?? []
      const { name, message } = failure()
      return [{ Id, Code: name, Message: message }]
    })
  }

  /** As PutEvents does: some are taken, and the answer says which are not. */
  async function partialPut(args: unknown[], act: Act): Promise<Put[]> {
    const [entries] = args as [unknown[]]
    const taken = entries.map(() => !chance.is(0.5))
    observed.sometimes('some entries of a PutEvents fail')
    await act(...([entries.filter((_, index) => taken[index])] as never[]))
    return taken.map((is) => {
      const { name, message } = failure()
      return is ? {} : { ErrorCode: name, ErrorMessage: message }
    })
  }

  async function partialInsert(args: unknown[], act: Act): Promise<InsertVerdict[]> {
    const [items] = args as [unknown[]]
    const withEffect = chance.is(0.3)
    const failed = items.map(() => chance.is(0.4))
    observed.sometimes('some inserts of a batch fail')
    const tried = items.filter((_, index) => withEffect || !failed[index])
    const verdicts = (await act(...([tried] as never[]))) as InsertVerdict[]
    let at = 0
    return items.map((_, index): InsertVerdict => {
      const verdict = withEffect || !failed[index] ? verdicts[at++] : undefined
      return failed[index] || verdict === undefined ? { verdict: 'failed', error: failure() } : verdict
    })
  }

  function call(process: Process, port: string, method: string, args: never[], act: Act): Promise<unknown> {
    if (!process.alive) return new Promise(() => undefined)
    const label = `${process.kind}.${port}.${method}`
    const fault = drawn() ?? seldomDrawn(port, method)
    if (fault === 'late' && method === 'mark') observed.guessed.add('how often it was tried')
    return new Promise((resolve, reject) => {
      const answer = (given: Answer): void => {
        if (!process.alive) return
        if ('error' in given && port === 'memory' && method === 'get') noteUnsure(args[0] as never)
        if ('error' in given) reject(given.error)
        else resolve(given.value)
      }
      const effect = () => take({ process, port, method, args, act, label, fault, answer })
      if (fault === 'crashed' && chance.is(0.5))
        time.after(wait(), label, () => {
          if (process.alive) observed.sometimes(`a process dies before ${nameOf(port, method)}`)
          kill(process, `dies before ${port}.${method}`)
        })
      else if (fault === 'late') {
        time.after(wait() + 2000, label, () => answer({ error: failure() }))
        time.after(wait() + chance.between(2000, 8000), `${label} late`, effect)
      } else time.after(wait() + (fault === 'slow' ? chance.rate(500, 20_000) : 0), label, effect)
    })
  }

  function noteUnsure({ project, kind, name }: RecordKey): void {
    if (kind === 'control') observed.unsure.set(`${project} ${name}`, time.now())
  }

  function noteUnread(process: Process, method: string): void {
    if (method === 'getDeliveries' && ofOrdered(process))
      observed.sometimes('what was held cannot be looked up')
  }

  const wait = (): number => chance.between(0, unsafe() ? options.latency : 5)

  type Call = {
    process: Process
    port: string
    method: string
    args: never[]
    act: Act
    label: string
    fault: CallFault | undefined
    answer: (given: Answer) => void
  }

  /** A call takes effect, if it does, and its answer goes on its way. */
  async function take(call: Call): Promise<unknown> {
    const { process, port, method, args, label, fault, answer } = call
    // a request that was on its way when its sender died may arrive or not
    if (!process.alive && chance.is(0.5)) return still
    const out = isOut(port, targetOf(port, args), method)
    if (out || fault === 'refused') {
      noteUnread(process, method)
      const error = out ? named('AccessDeniedException', 'the key may not be used') : failure()
      time.after(wait(), label, () => answer({ error }))
      return still
    }
    const given = await perform(call)
    if (fault === 'crashed') {
      observed.sometimes(`a process dies after ${nameOf(port, method)}`)
      kill(process, `dies after ${port}.${method}`)
      return
    }
    if (fault === 'late') return still
    if (fault === 'lost') {
      observed.sometimes(`the answer of ${method} gets lost`)
      time.after(wait(), label, () => answer({ error: failure() }))
      return still
    }
    if (!unsafe()) {
      answer(given)
      return
    }
    time.after(wait(), label, () => answer(given))
    return still
  }

  return { call, kill }
}

const seldom = new Set([
  ...['wait', 'release', 'mark', 'transition', 'start', 'succeedTask', 'quarantine', 'putIfAbsent', 'tally'],
  ...['removeFromOutbox', 'put'],
])

/** And of these only a few in many schedules: how much of them fails where that is so. */
const seldomest: Readonly<Record<string, number>> = {
  'lanes.open': 1,
  'lanes.leave': 0.5,
  'lanes.release': 0.15,
  'lanes.wait': 0.05,
  settleQuarantined: 0.9,
  succeedTask: 0.4,
  getQuarantined: 0.2,
}

/** Lanes have names for their methods that say little by themselves. */
const nameOf = (port: string, method: string): string => (port === 'lanes' ? `lanes.${method}` : method)

/** A transaction carries a token, so trying it twice does it once. */
const isRepeatable = (method: string): boolean => method !== 'commit' && method !== 'wait'

function targetOf(port: string, args: unknown[]): string {
  const [first] = args
  if (port === 'queues' || port === 'downstream') return String(first)
  // what holds a subscriber back is read apart from what it keeps
  return port === 'memory' && first instanceof Object && 'kind' in first ? String(first.kind) : ''
}

/** A port of which each call goes through `call`. */
export function through<Port extends object>(calls: Calls, process: Process, port: string, real: Port): Port {
  const made = new Map<PropertyKey, unknown>()
  return new Proxy(real, {
    get(target, method) {
      const known = made.get(method)
      if (known !== undefined) return known
      const found: unknown = Reflect.get(target, method)
      if (typeof found !== 'function') return found
      const act = found.bind(target) as Act
      const wrapped = (...args: never[]) => calls.call(process, port, String(method), args, act)
      made.set(method, wrapped)
      return wrapped
    },
  })
}
