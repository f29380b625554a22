import * as z from 'zod'
import { after, minute, second } from '../time.ts'

/**
 * A circuit parts a subscriber from what does not answer (docs/decisions/0013-circuits.md). Closed is the rule and is
 * written nowhere; open: deliveries are parked; half-open: one of them is being tried, the probe.
 */
const circuit = z.object({
  /** what does not answer; '' for the subscriber as a whole, which covers every other one */
  downstream: z.string(),
  state: z.enum(['open', 'half-open']),
  since: z.iso.datetime(),
  /** what the failures had in common */
  reason: z.string(),
  /** from when on a delivery may try it */
  probeAt: z.iso.datetime(),
  /** how many have tried it, counting those of a circuit that closed just before */
  probes: z.number().int().min(0),
  lastProbe: z.iso.datetime().optional(),
})
export type Circuit = z.infer<typeof circuit>

/** Lists, and not members by downstream: its name may come from an event and be any word. */
export const circuits = z.object({
  circuits: z.array(circuit).default([]),
  /** those that closed a while ago: one that opens again goes on with longer pauses */
  closed: z
    .array(z.object({ downstream: z.string(), at: z.iso.datetime(), probes: z.number().int().min(0) }))
    .default([]),
})
export type Circuits = z.infer<typeof circuits>

/** Beyond so many the subscriber as a whole is parted: then it is not its downstreams that fail. */
export const mostCircuits = 50
const firstPause = 30 * second
const longestPause = 10 * minute
const probePatience = minute
const remembered = 10 * minute

/** After so many probes that did not succeed: 30 s, doubling up to 10 minutes. */
const pauseAfter = (probes: number): number => Math.min(longestPause, firstPause * 2 ** Math.min(probes, 10))

/** The circuit that decides about a downstream; undefined: it is closed. */
export const covering = ({ circuits }: Circuits, downstream: string): Circuit | undefined =>
  circuits.find((one) => one.downstream === '') ?? circuits.find((one) => one.downstream === downstream)

/** When a circuit of this downstream closed last, as far as that is remembered. */
export const closedAt = ({ closed }: Circuits, downstream: string): string | undefined =>
  closed.find((one) => one.downstream === downstream)?.at

/** Whether a delivery may try it now: its time has come, or the one that tries it has not been heard of. */
export const mayProbe = ({ state, probeAt, lastProbe }: Circuit, now: string): boolean =>
  state === 'open' ? now >= probeAt : lastProbe === undefined || now >= after(lastProbe, probePatience)

/** Opens the circuit of a downstream; undefined when one covers it already. Answers what was opened. */
export function open(
  state: Circuits,
  { downstream, reason, now }: { downstream: string; reason: string; now: string },
): { next: Circuits; opened: Circuit } | undefined {
  if (covering(state, downstream) !== undefined) return undefined
  const name = state.circuits.length < mostCircuits ? downstream : ''
  const before = state.closed.find((one) => one.downstream === name && now < after(one.at, remembered))
  const probes = before?.probes ?? 0
  const opened: Circuit = {
    downstream: name,
    state: 'open',
    since: now,
    reason,
    probeAt: after(now, pauseAfter(probes)),
    probes,
  }
  return { next: { ...state, circuits: [...state.circuits, opened] }, opened }
}

/** A delivery takes it upon itself to try. */
export const claimed = (state: Circuits, { downstream }: Circuit, now: string): Circuits =>
  replaced(state, downstream, (one) => ({
    ...one,
    state: 'half-open',
    probes: one.probes + 1,
    lastProbe: now,
  }))

/** It still does not answer: the next try is after a longer pause. */
export const failedAgain = (state: Circuits, { downstream }: Circuit, now: string): Circuits =>
  replaced(state, downstream, (one) => ({
    ...one,
    state: 'open',
    probeAt: after(now, pauseAfter(one.probes)),
  }))

/** The try said nothing of it (the event was at fault, or had been handled before): the next delivery tries at once. */
export const undecided = (state: Circuits, { downstream }: Circuit, now: string): Circuits =>
  replaced(state, downstream, (one) => ({ ...one, state: 'open', probeAt: now, probes: one.probes - 1 }))

/** These are closed now, and remembered for a while. */
export function closed(state: Circuits, gone: readonly Circuit[], now: string): Circuits {
  const names = new Set(gone.map(({ downstream }) => downstream))
  const others = (one: { downstream: string }): boolean => !names.has(one.downstream)
  return {
    circuits: state.circuits.filter(others),
    closed: [
      ...gone.map(({ downstream, probes }) => ({ downstream, at: now, probes })),
      ...state.closed.filter((one) => others(one) && now < after(one.at, remembered)),
    ].slice(0, mostCircuits),
  }
}

const replaced = (state: Circuits, downstream: string, change: (one: Circuit) => Circuit): Circuits => ({
  ...state,
  circuits: state.circuits.map((one) => (one.downstream === downstream ? change(one) : one)),
})
