import { meshOf, type Options } from '../mesh/assembly/mesh-of.ts'
import { assemblyOf } from '../mesh/assembly/read/read.ts'
import type { ElementKind, ElementOf, Mesh, NodeKind, NodeOf } from '../mesh/model.ts'

/** The mesh of one template, whose stack is `s`. */
export const meshIn = (resources: object, more: object = {}, options: Options = {}): Mesh =>
  meshOf(assemblyOf('s', { Resources: resources, ...more }), options)

const isNode =
  <Kind extends NodeKind>(kind: Kind) =>
  (node: Mesh['nodes'][number]): node is NodeOf<Kind> =>
    node.kind === kind
const isElement =
  <Kind extends ElementKind>(kind: Kind) =>
  (element: Mesh['elements'][number]): element is ElementOf<Kind> =>
    element.kind === kind

/** The node of a logical id. */
export function nodeIn<Kind extends NodeKind>({ nodes }: Mesh, kind: Kind, id: string): NodeOf<Kind> {
  const found = nodes.filter(isNode(kind)).find((node) => node.id === `s/${id}` || node.id === id)
  if (found === undefined)
    throw new Error(`no ${kind} ${id} among ${nodes.map((node) => node.id).join(', ')}`)
  return found
}

/** All elements of a kind. */
export const elementsIn = <Kind extends ElementKind>({ elements }: Mesh, kind: Kind): ElementOf<Kind>[] =>
  elements.filter(isElement(kind))

/** The only element of a kind between two logical ids. */
export function elementIn<Kind extends ElementKind>(
  mesh: Mesh,
  kind: Kind,
  from: string,
  to: string,
): ElementOf<Kind> {
  const named = (id: string) => [id, `s/${id}`]
  const found = elementsIn(mesh, kind).filter(
    (element) => named(from).includes(element.from) && named(to).includes(element.to),
  )
  const [only] = found
  if (only === undefined || found.length > 1)
    throw new Error(
      `${found.length} times ${kind} from ${from} to ${to} among\n${mesh.elements.map(({ id }) => id).join('\n')}`,
    )
  return only
}

export const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] })
export const queue = { Type: 'AWS::SQS::Queue' }
export const lambda = { Type: 'AWS::Lambda::Function' }
