import { components } from './components.ts'
import { type Block, eliminate } from './eliminate.ts'
import { iterate } from './iterate.ts'

/** One element of a structure: the unknowns that it ties, and what it adds to their equations. */
export type Element = { unknowns: readonly number[]; matrix: readonly (readonly number[])[] }

/** The assembled system by rows: column -> value. */
export type System = readonly ReadonlyMap<number, number>[]

/** Adds each element's matrix at its unknowns: the assembly of the direct stiffness method (Logan, ch. 2). */
export function assemble(size: number, elements: readonly Element[]): System {
  const rows = Array.from({ length: size }, () => new Map<number, number>())
  for (const { unknowns, matrix } of elements)
    matrix.forEach((values, i) => {
      const row = rows[unknowns[i] ?? -1]
      if (row === undefined) throw new RangeError(`an element ties unknown ${unknowns[i]} of ${size}`)
      values.forEach((value, j) => {
        const column = unknowns[j] ?? -1
        if (value !== 0) row.set(column, (row.get(column) ?? 0) + value)
      })
    })
  return rows
}

type Solution = {
  values: number[]
  /** for each prescribed unknown, the load that holds it there beyond the given one */
  reactions: Map<number, number>
}

/**
 * Solves K x = f with some unknowns prescribed (boundary conditions). Block by block along the strongly connected
 * components of K, so that a structure without loops takes one pass; a large block by iteration to 1e-13 of each value where
 * that settles, else by elimination. Throws a RangeError when a block is singular.
 */
export function solve(
  system: System,
  loads: readonly number[],
  prescribed: ReadonlyMap<number, number> = new Map(),
): Solution {
  const values = system.map((_, unknown) => prescribed.get(unknown) ?? 0)
  const needs = system.map((row, unknown) =>
    prescribed.has(unknown)
      ? []
      : [...row.keys()].filter((column) => column !== unknown && !prescribed.has(column)),
  )
  for (const block of components(needs)) solveBlock(system, loads, values, block, prescribed)
  const reactions = new Map<number, number>()
  for (const unknown of prescribed.keys()) {
    let force = -(loads[unknown] ?? 0)
    for (const [column, value] of system[unknown] ?? []) force += value * (values[column] ?? 0)
    reactions.set(unknown, force)
  }
  return { values, reactions }
}

/** Up to this size elimination takes no longer than a few rounds of iteration. */
const small = 100

function solveBlock(
  system: System,
  loads: readonly number[],
  values: number[],
  block: readonly number[],
  prescribed: ReadonlyMap<number, number>,
): void {
  const [only = -1] = block
  if (prescribed.has(only)) return
  const place = new Map(block.map((unknown, position) => [unknown, position]))
  const within: Block = {
    diagonal: new Float64Array(block.length),
    rows: block.map(() => new Map()),
    loads: new Float64Array(block.length),
  }
  block.forEach((unknown, position) => {
    let load = loads[unknown] ?? 0
    for (const [column, value] of system[unknown] ?? []) {
      const other = place.get(column)
      if (other === position) within.diagonal[position] = value
      else if (other !== undefined) within.rows[position]?.set(other, value)
      else load -= value * (values[column] ?? 0)
    }
    within.loads[position] = load
  })
  const solved = (block.length > small ? iterate(within) : undefined) ?? eliminate(within)
  solved.forEach((value, position) => {
    values[block[position] ?? -1] = value
  })
}
