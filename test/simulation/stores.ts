import { checkCommit } from '../../adapters/commit-rules.ts'
import { inMemoryBodies } from '../../adapters/in-memory/bodies.ts'
import { inMemoryEphemeral } from '../../adapters/in-memory/ephemeral.ts'
import { inMemoryHistory } from '../../adapters/in-memory/history.ts'
import { inMemoryLanes } from '../../adapters/in-memory/lanes.ts'
import { inMemoryMemory } from '../../adapters/in-memory/memory.ts'
import { inMemoryWorkflows } from '../../adapters/in-memory/workflows.ts'
import type { Job } from '../../core/job/job.ts'
import type { Lanes } from '../../core/lane/lane.ts'
import type { Commit, Delivery, DeliveryKey, History, Memory } from '../../core/ports.ts'
import { noteClosings, noteControl } from './circuits.ts'
import { noteState } from './jobs-seen.ts'
import { marksHeld } from './marks.ts'
import { noteMeant } from './meant.ts'
import { deliveryText, type Observed, textOfEvent } from './observed.ts'
import type { Options } from './options.ts'
import { settlementIn, settlementKind } from './quarantine-operators.ts'
import type { Scheduler } from './scheduler.ts'

export type Stores = ReturnType<typeof stores>

/**
 * The tables: in memory, each call whole or not at all, and written down. What may be eventually consistent is read from
 * copies that get every write later, where any are.
 */
export function stores({
  time,
  observed,
  options: { skew, stale, listed },
  committed,
}: {
  time: Scheduler
  observed: Observed
  options: Pick<Options, 'skew' | 'stale' | 'listed'>
  /** hears of every change of memory that was committed */
  committed: (change: Commit) => void
}) {
  const clock = () => new Date(time.now()).toISOString()
  const kept = inMemoryBodies()
  const bodies: typeof kept = {
    ...kept,
    async put(key, body) {
      observed.sometimes('a body lies in the bucket')
      await kept.put(key, body)
    },
  }

  function tables() {
    const history = inMemoryHistory({ bodies })
    let written = clock()
    const memory = inMemoryMemory({ clock: () => written, history: { ...history, write } })
    const lanes = inMemoryLanes({ history: { ...history, write } })
    let marked: (mark: DeliveryKey & Delivery) => void = () => undefined
    function write(mark: DeliveryKey & Delivery): void {
      history.write(mark)
      marked(mark)
    }
    return {
      history,
      memory,
      lanes,
      at: (now: string) => {
        written = now
      },
      onMark: (listener: typeof marked) => {
        marked = listener
      },
    }
  }
  const real = tables()
  const copies = stale > 0 ? tables() : undefined

  /** The same write, later, in the copies. */
  function later(write: (on: ReturnType<typeof tables>) => unknown): void {
    real.at(clock())
    if (copies === undefined) return
    const now = clock()
    time.after(stale, 'copied', () => {
      copies.at(now)
      return write(copies)
    })
  }

  const marked = marksHeld(observed, time.now)
  real.onMark(marked)

  const history: History = {
    ...real.history,
    async putPage(page) {
      later((on) => on.history.putPage(page))
      await real.history.putPage(page)
    },
    async insertEvents(events) {
      later((on) => on.history.insertEvents(events))
      const verdicts = await real.history.insertEvents(events)
      for (const [index, stored] of events.entries())
        if (verdicts[index]?.verdict === 'inserted') {
          const { project, partitionkey, sequence } = stored.event
          observed.events.set(textOfEvent(stored.event), { stored, at: time.now() })
          const lane = `${project} ${partitionkey}`
          if (sequence !== undefined) observed.lanes.set(lane, [...(observed.lanes.get(lane) ?? []), stored])
          observed.step(stored.event.id, () => `recorded for ${stored.expects.join(', ') || 'nobody'}`)
        }
      return verdicts
    },
    async insertDeliveries(marks) {
      later((on) => on.history.insertDeliveries(marks))
      const verdicts = await real.history.insertDeliveries(marks)
      for (const [index, mark] of marks.entries()) if (verdicts[index]?.verdict === 'inserted') marked(mark)
      return verdicts
    },
    async mark(key, delivery) {
      later((on) => on.history.mark(key, delivery))
      const written = await real.history.mark(key, delivery)
      if (written) marked({ ...delivery, ...key })
      return written
    },
    async transition(change) {
      later((on) => on.history.transition(change))
      const written = await real.history.transition(change)
      if (written) marked({ ...change.next, ...change.key })
      return written
    },
    async note(key, text) {
      later((on) => on.history.note(key, text))
      await real.history.note(key, text)
      const marked = observed.deliveries.get(deliveryText(key))
      if (marked)
        observed.deliveries.set(deliveryText(key), { ...marked, notes: [...(marked.notes ?? []), text] })
    },
    async quarantine(entry) {
      later((on) => on.history.quarantine(entry))
      observed.sometimes(`something is quarantined as ${entry.reason}`)
      observed.step(entry.id ?? '', () => `quarantined as ${entry.reason}`)
      return real.history.quarantine(entry)
    },
    async settleQuarantined(project, digest, settled) {
      later((on) => on.history.settleQuarantined(project, digest, settled))
      return real.history.settleQuarantined(project, digest, settled)
    },
    fate: (identity, read) =>
      (read?.consistent === false ? (copies ?? real) : real).history.fate(identity, read),
    pages: (at) => (copies ?? real).history.pages(at),
    openMarks: (query) => (copies ?? real).history.openMarks(query),
    quarantined: (query) => (copies ?? real).history.quarantined(query),
    story: (query) => (copies ?? real).history.story(query),
    async byKey(query) {
      const { items, next } = await (copies ?? real).history.byKey(query)
      const oldest = time.now() - listed
      const shown = items.filter((item) => (observed.events.get(textOfEvent(item))?.at ?? 0) <= oldest)
      if (shown.length < items.length) observed.sometimes('the events of a key are listed too late')
      return { items: shown, next }
    },
  }

  function noteSettlements({ writes }: Commit): void {
    for (const { project, kind, name, value } of writes) {
      if (kind !== settlementKind) continue
      const { state, by, at } = settlementIn({ value })
      observed.settlements.set(`${project} ${name}`, { state, by, settled: at, at: time.now() })
    }
  }

  async function controlsIn({ writes }: Commit) {
    const own = writes.filter(({ kind }) => kind === 'control')
    return Promise.all(own.map(async (write) => ({ write, before: await real.memory.get(write) })))
  }

  function noteJobs({ writes }: Commit): void {
    for (const { project, kind, value } of writes) {
      const job = kind === 'job' ? (value as Job) : undefined
      if (job !== undefined) {
        noteMeant(project, job, observed)
        noteState(job, observed, time.now())
      }
      if (job?.kind === 'redrive' && job.reason?.includes('died again'))
        observed.sometimes('a redrive is stopped by like failures')
      if (job?.kind === 'rebuild' && job.state === 'done' && (job.selection as { switch?: true }).switch)
        observed.sometimes('a rebuild is switched')
    }
  }

  /** What no store could commit comes into no copy either. */
  function refuseTooLarge(change: Commit): void {
    try {
      checkCommit(change)
    } catch (error) {
      const isState = change.writes.some(({ value }) => 'pad' in Object(value))
      observed.sometimes(`${isState ? 'a state' : 'what is told of a change'} is too large`)
      throw error
    }
  }

  const memory: Memory = {
    ...real.memory,
    async commit(change) {
      refuseTooLarge(change)
      later((on) => on.memory.commit(change))
      const controls = await controlsIn(change)
      const verdict = await real.memory.commit(change)
      const { mark } = change
      if (verdict === 'committed' && mark !== undefined) {
        const text = deliveryText(mark)
        observed.commits.set(text, (observed.commits.get(text) ?? 0) + 1)
      }
      if (verdict === 'committed') {
        for (const { write, before } of controls)
          noteControl(write, before, { observed, now: time.now(), skew })
        noteClosings(change, observed)
        noteJobs(change)
        noteSettlements(change)
        committed(change)
      }
      return verdict
    },
    async removeFromOutbox(items) {
      later((on) => on.memory.removeFromOutbox(items))
      await real.memory.removeFromOutbox(items)
    },
    list: (query) => (copies ?? real).memory.list(query),
    staleOutbox: (project, before, limit) => (copies ?? real).memory.staleOutbox(project, before, limit),
  }

  const lanes: Lanes = {
    ...real.lanes,
    async wait(lane, waiting, how) {
      later((on) => on.lanes.wait(lane, waiting, how))
      const verdict = await real.lanes.wait(lane, waiting, how)
      if (verdict === 'waits')
        observed.sometimes(how === 'closing' ? 'a lane is closed' : 'something waits in a lane')
      return verdict
    },
    async release(lane, seen, release) {
      later((on) => on.lanes.release(lane, seen, release))
      const released = await real.lanes.release(lane, seen, release)
      if (released) observed.sometimes('a lane is released')
      return released
    },
    async leave(lane, waiting) {
      later((on) => on.lanes.leave(lane, waiting))
      await real.lanes.leave(lane, waiting)
    },
    async open(lane, seen) {
      later((on) => on.lanes.open(lane, seen))
      const opened = await real.lanes.open(lane, seen)
      if (opened) observed.sometimes('a lane is opened')
      return opened
    },
    closed: (query) => (copies ?? real).lanes.closed(query),
  }

  return {
    history,
    memory,
    lanes,
    bodies,
    ephemeral: inMemoryEphemeral({ clock }),
    workflows: inMemoryWorkflows({ clock }),
    /** to be looked at */
    real,
    /** what is read where that may be behind */
    behind: (copies ?? real).history,
    /** Writes a mark whatever stands there: nothing but a mistake does. */
    overwrite(mark: DeliveryKey & Delivery): void {
      real.history.write(mark)
      marked(mark)
    },
  }
}
