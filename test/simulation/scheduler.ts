/**
 * Virtual time. Whatever happens is a step that is due at a time; steps are taken one by one, and between two of them
 * everything runs to where it waits for a step again. So a run is the same each time, however the machine is loaded.
 */
export type Scheduler = {
  /** milliseconds of virtual time since 1970 */
  now(): number
  /** `label` goes into the hash. A step that has resumed nobody may answer `still`, which saves looking for that. */
  after(milliseconds: number, label: string, step: () => unknown): void
  /** Takes steps until `done` says so or nothing is left to be done. */
  run(done: () => boolean): Promise<void>
  /** of every step that was taken, and when: equal runs have equal ones */
  hash(): string
  steps(): number
}

/** Nobody goes on by what this step did. */
export const still = Symbol('still')

type Step = { at: number; order: number; label: string; act: () => unknown }

const before = (a: Step, b: Step): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export function scheduler(start: number): Scheduler {
  const heap: Step[] = []
  let now = start
  let order = 0
  let hash = 0x811c9dc5
  let taken = 0

  function push(step: Step): void {
    let at = heap.length
    heap.push(step)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || before(parent, step)) break
      heap[at] = parent
      heap[above] = step
      at = above
    }
  }

  function pop(): Step | undefined {
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    for (let at = 0; ; ) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      if (left === undefined) break
      const [below, child] =
        right !== undefined && before(right, left) ? [2 * at + 2, right] : [2 * at + 1, left]
      if (before(last, child)) break
      heap[at] = child
      heap[below] = last
      at = below
    }
    return first
  }

  function mix(step: Step): void {
    for (let at = 0; at < step.label.length; at++)
      hash = Math.imul(hash ^ step.label.charCodeAt(at), 0x01000193)
    hash = Math.imul(hash ^ Math.floor(step.at * 8), 0x01000193)
  }

  return {
    now: () => now,
    after(milliseconds, label, act) {
      push({ at: now + Math.max(0, milliseconds), order: order++, label, act })
    },
    async run(done) {
      while (!done()) {
        const step = pop()
        if (step === undefined) return
        now = step.at
        taken++
        mix(step)
        const answer = step.act()
        if ((answer instanceof Promise ? await answer : answer) !== still) await everythingWaits()
      }
    },
    hash: () => (hash >>> 0).toString(16).padStart(8, '0'),
    steps: () => taken,
  }
}

/** Promises call back before a timer may: then nothing is left that could go on by itself. */
const everythingWaits = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
