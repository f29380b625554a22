import { MeshError } from '../faults.ts'
import type { Finding } from '../findings/finding.ts'
import { rules } from '../findings/findings.ts'
import { isShared } from '../laws/limits.ts'
import type { Loaded } from '../load.ts'
import { type Loads, nodesNamed } from '../loads.ts'
import { nameOf, nodesById } from '../model.ts'
import { nearest } from '../nearest.ts'

/** A finding that somebody has decided to live with: of this rule, at a node, an element or a limit that several share. */
type Acceptance = Loads['accepted'][number] & { ids: ReadonlySet<string> }

/**
 * What resources declare in `Metadata.mesh.accepted` and what a file of rates accepts. `at` is a node by name, path or id,
 * an element by id or as `from → to`, or a shared limit by name. A rule or a place that there is not is a MeshError.
 */
export function acceptedOf({ mesh, accepted: said }: Loaded): Acceptance[] {
  const nodes = nodesById(mesh)
  const shared = new Set(
    [...mesh.nodes, ...mesh.elements].flatMap(({ laws }) =>
      laws.filter(isShared).map(({ shared }) => shared),
    ),
  )
  const faults: string[] = []
  const named = nodesNamed(mesh)
  const likely = (at: string): string => {
    const near = nearest(at, [
      ...mesh.nodes.map(({ name }) => name),
      ...mesh.elements.map((element) => nameOf(element, nodes)),
      ...shared,
    ])
    return near.length === 0 ? '' : `; near it: ${near.join(', ')}`
  }
  const accepted = said.map((one) => {
    const elements = mesh.elements.filter((element) => [element.id, nameOf(element, nodes)].includes(one.at))
    const found = [...named(one.at), ...elements].map(({ id }) => id)
    const ids = new Set([...found, ...(shared.has(one.at) ? [one.at] : [])])
    if (!(one.rule in rules))
      faults.push(`${one.where}.rule: there is no rule ${one.rule}, only ${Object.keys(rules).join(', ')}`)
    if (ids.size === 0)
      faults.push(
        `${one.where}.at: there is no node, element or limit ${one.at}${likely(one.at)}. loadpath mesh model lists all nodes`,
      )
    return { ...one, ids }
  })
  if (faults.length > 0) throw new MeshError(faults.join('\n  '))
  return accepted
}

/** Findings that are open, those that are accepted, and acceptances of nothing that is found any more. */
export function settled(findings: readonly Finding[], acceptances: readonly Acceptance[]) {
  const covers = ({ rule, ids }: Acceptance, finding: Finding) => rule === finding.rule && ids.has(finding.at)
  return {
    findings: findings.filter((one) => !acceptances.some((each) => covers(each, one))),
    accepted: findings.flatMap((one) => {
      const by = acceptances.find((each) => covers(each, one))
      return by === undefined ? [] : [{ ...one, because: by.because }]
    }),
    needless: acceptances
      .filter((each) => !findings.some((one) => covers(each, one)))
      .map(({ rule, at, because }) => ({ rule, at, because })),
  }
}
