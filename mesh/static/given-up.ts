import { awaitsRun } from '../awaited.ts'
import { type Mesh, type MeshElement, nodesById } from '../model.ts'
import { attemptsOver, expiresFirst } from './tries.ts'

/**
 * What becomes of a message when all attempts over an element are used up.
 * kept: somewhere from which it can be sent again; dropped: nowhere; answered: who called is told, and decides.
 */
export type GivenUp = 'kept' | 'dropped' | 'answered'

/** `tries`: how often those who wait for it try again what led there, each time with all attempts over the element. */
type Fate = { becomes: GivenUp; tries: number }

/** What somebody tries again himself is taken to be his to decide. */
export function givenUpOf(mesh: Mesh): (element: MeshElement) => GivenUp {
  const fateOf = fatesOf(mesh)
  return (element) => {
    const { becomes, tries } = fateOf(element)
    return tries > 1 ? 'answered' : becomes
  }
}

/**
 * A run of a standard state machine stays in its history and can be redriven for 14 days; one of an express does not: what
 * fails in it is told to who waits for it, whose own run then fails, and is gone where nobody does.
 */
export function fatesOf(mesh: Mesh): (element: MeshElement) => Fate {
  const nodes = nodesById(mesh)
  const letters = new Set(
    mesh.elements.flatMap((each) =>
      each.kind === 'dead-letter' && each.of === 'poll' && each.unheard !== true ? [each.from] : [],
    ),
  )
  const arriving = Map.groupBy(
    mesh.elements.filter(({ kind }) => kind !== 'dead-letter'),
    ({ to }) => to,
  )
  const machineOf = (id: string) => {
    const node = nodes.get(id)
    return node?.kind === 'task' ? nodes.get(node.settings.workflow) : node
  }
  const triesOver = (element: MeshElement) => attemptsOver(element, nodes.get(element.from))
  const ofPoll = (element: MeshElement & { kind: 'poll' }): GivenUp =>
    letters.has(element.from) && !expiresFirst(element, nodes.get(element.from)) ? 'kept' : 'dropped'

  /** Of a pipe that is told: it takes what it polls again, in the end as often as that is handed out. */
  const polledBy = (pipe: string, tries: number): Fate[] => {
    const polls = (arriving.get(pipe) ?? []).filter((each) => each.kind === 'poll')
    if (polls.length === 0) return [{ becomes: 'answered', tries }]
    return polls.map((poll) => ({ becomes: ofPoll(poll), tries: tries * triesOver(poll) }))
  }
  /** What becomes of a run of an express machine, by each of those who start it or a run that waits for it. */
  const endsOf = (express: string): Fate[] => {
    const ends: Fate[] = []
    // with the fewest tries of all ways that lead from there
    const open = new Map([[express, 1]])
    const start = (element: MeshElement, before: number) => {
      const [from, machine] = [nodes.get(element.from), machineOf(element.from)]
      if (!awaitsRun(element, from)) ends.push({ becomes: 'dropped', tries: before })
      else if (machine?.kind === 'pipe') ends.push(...polledBy(machine.id, before * triesOver(element)))
      else if (machine?.kind !== 'workflow') ends.push({ becomes: 'answered', tries: before })
      else {
        const tries = before * triesOver(element)
        if (machine.settings.flavour === 'STANDARD') ends.push({ becomes: 'kept', tries })
        else if (tries < (open.get(machine.id) ?? Number.POSITIVE_INFINITY)) {
          open.delete(machine.id)
          open.set(machine.id, tries)
        }
      }
    }
    for (const [id, tries] of open) {
      const starts = arriving.get(id) ?? []
      if (starts.length === 0) ends.push({ becomes: 'dropped', tries })
      for (const each of starts) start(each, tries)
    }
    // of what only starts itself nobody is told
    return ends.length === 0 ? [{ becomes: 'dropped', tries: 1 }] : ends
  }
  const known = new Map<string, Fate>()
  return (element) => {
    if (element.kind === 'delivery') return { becomes: element.kept ? 'kept' : 'dropped', tries: 1 }
    if (element.kind === 'poll') return { becomes: ofPoll(element), tries: 1 }
    const machine = machineOf(element.from)
    if (machine?.kind !== 'workflow') return { becomes: 'answered', tries: 1 }
    if (machine.settings.flavour === 'STANDARD') return { becomes: 'kept', tries: 1 }
    const fate = known.get(machine.id) ?? worstOf(endsOf(machine.id))
    known.set(machine.id, fate)
    return fate
  }
}

const worse: readonly GivenUp[] = ['kept', 'answered', 'dropped']

/** Of several that may become of it. */
const worstOf = (fates: readonly Fate[]): Fate =>
  fates.reduce((one, other) => {
    const by = worse.indexOf(other.becomes) - worse.indexOf(one.becomes)
    return by > 0 || (by === 0 && other.tries < one.tries) ? other : one
  })
