import { MeshError } from '../../faults.ts'
import { isRecord, type Json, listOf, textOf, textsOf } from '../json.ts'
import type { Stack } from './template.ts'

/**
 * Refuses resources that depend on each other in a circle, as CloudFormation does, and names the circle. What depends on
 * a condition is left out: the two halves of a circle may never be there together.
 */
export function refuseCycles({ file, template }: Stack) {
  const { Resources } = template
  const after = new Map(
    Object.entries(Resources).flatMap(([id, { Condition, Properties, DependsOn }]) => {
      if (Condition !== undefined) return []
      const named = typeof DependsOn === 'string' || Array.isArray(DependsOn) ? listOf(DependsOn) : []
      const needed = [...references(Properties ?? {}), ...textsOf(named)]
      return [[id, [...new Set(needed)].filter((name) => Resources[name] !== undefined)] as const]
    }),
  )
  const done = new Set<string>()
  /** the way to where we are, and how many of each one's references have been followed */
  const trail = new Map<string, number>()
  const open: string[] = []
  const enter = (id: string) => {
    trail.set(id, 0)
    open.push(id)
  }
  for (const start of after.keys()) {
    if (!done.has(start)) enter(start)
    for (let id = open.at(-1); id !== undefined; id = open.at(-1)) {
      const place = trail.get(id) ?? 0
      const next = after.get(id)?.[place]
      trail.set(id, place + 1)
      if (next === undefined) {
        done.add(id)
        trail.delete(id)
        open.pop()
      } else if (trail.has(next)) {
        const circle = [...open.slice(open.indexOf(next)), next].join(' -> ')
        throw new MeshError(
          `${file}: Resources.${next}: depends on itself: ${circle}: take one of these references away`,
        )
      } else if (!done.has(next)) enter(next)
    }
  }
}

/** Logical ids that a value refers to, whatever any condition decides. */
function references(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(references)
  return isRecord(value) ? Object.entries(value).flatMap(([key, inner]) => referencesOf(key, inner)) : []
}

function referencesOf(key: string, inner: Json): string[] {
  switch (key) {
    case 'Fn::If':
      return []
    case 'Ref':
      return textsOf(inner)
    case 'Fn::GetAtt':
      return [textOf(Array.isArray(inner) ? inner[0] : inner)?.split('.')[0] ?? '']
    case 'Fn::Sub': {
      const [text, given = null] = listOf(inner)
      const own = isRecord(given) ? Object.keys(given) : []
      const names = [...(textOf(text) ?? '').matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) =>
        name.trim(),
      )
      const others = names.filter((name) => !own.includes(name))
      return [...others.map((name) => name.split('.')[0] ?? ''), ...references(given)]
    }
    default:
      return references(inner)
  }
}
