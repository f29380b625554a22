import { projects, registerProject } from '../gate/access.ts'
import type { SendDeps } from '../gate/send.ts'
import type { Memory } from '../ports.ts'
import { minute } from '../time.ts'
import { type SweepDeps, type SweepResult, sweep } from './sweep.ts'

/** Who lets events in beside the holders of keys, whose projects are registered with the first key. */
export type Doors = {
  accounts: readonly string[]
  /** projects that have a webhook secret */
  webhooks: () => Promise<readonly string[]>
}

/**
 * Every project that events come into or came into. What a door lets in is registered, so that it is swept to its end
 * when the account or secret is taken away. Where one cannot be asked, the others count: the failures come with them.
 */
export async function projectsToSweep(
  { accounts, webhooks }: Doors,
  { memory, clock }: { memory: Memory; clock: SendDeps['clock'] },
): Promise<{ names: readonly string[]; failures: readonly unknown[] }> {
  const failures: unknown[] = []
  const given = (action: Promise<readonly string[]>) =>
    action.catch((error: unknown): readonly string[] => {
      failures.push(error)
      return []
    })
  const [registered, bySecret] = await Promise.all([given(projects(memory)), given(webhooks())])
  const known = new Set(registered)
  const names = new Set(['main', ...accounts, ...bySecret, ...registered])
  for (const name of names)
    if (!known.has(name))
      await registerProject(memory, name, clock()).catch((error: unknown) => failures.push(error))
  return { names: [...names].sort(), failures }
}

/**
 * Sweeps one project after the other, each with an equal share of what is left of so many `seconds`; none is begun
 * after them. The first is another one each minute, so those that are left out have their turn.
 */
export async function* sweepProjects(
  names: readonly string[],
  deps: SweepDeps,
  seconds: number,
): AsyncGenerator<SweepResult> {
  const began = Date.parse(deps.clock())
  const first = Math.floor(began / minute) % names.length
  for (const [index, project] of [...names.slice(first), ...names.slice(0, first)].entries()) {
    const left = seconds - (Date.parse(deps.clock()) - began) / 1000
    if (left <= 0) return
    yield await sweep(project, deps, left / (names.length - index))
  }
}
