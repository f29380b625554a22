import { components } from './components.ts'

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

export type Solution = {
  values: number[]
  /** for each prescribed unknown, the load that holds it there beyond the given one */
  reactions: Map<number, number>
}

/**
 * Solves K x = f with some unknowns prescribed (boundary conditions). Block by block along the strongly connected
 * components of K, so that a structure without loops takes one pass; each block by elimination with pivoting. Throws a
 * RangeError when a block is singular.
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

function solveBlock(
  system: System,
  loads: readonly number[],
  values: number[],
  block: readonly number[],
  prescribed: ReadonlyMap<number, number>,
): void {
  const [only] = block
  if (only !== undefined && prescribed.has(only)) return
  const place = new Map(block.map((unknown, position) => [unknown, position]))
  const matrix = block.map(() => new Float64Array(block.length + 1))
  block.forEach((unknown, i) => {
    const row = matrix[i]
    if (row === undefined) return
    row[block.length] = loads[unknown] ?? 0
    for (const [column, value] of system[unknown] ?? []) {
      const j = place.get(column)
      if (j !== undefined) row[j] = value
      else row[block.length] = (row[block.length] ?? 0) - value * (values[column] ?? 0)
    }
  })
  eliminate(matrix).forEach((value, position) => {
    values[block[position] ?? 0] = value
  })
}

/** Gauss elimination with partial pivoting of an n × (n + 1) matrix, in place. */
function eliminate(matrix: Float64Array[]): number[] {
  const size = matrix.length
  for (let column = 0; column < size; column++) {
    const head = pivoted(matrix, column)
    for (let row = column + 1; row < size; row++) {
      const target = matrix[row]
      const factor = (target?.[column] ?? 0) / (head[column] ?? 1)
      if (target === undefined || factor === 0) continue
      for (let k = column; k <= size; k++) target[k] = (target[k] ?? 0) - factor * (head[k] ?? 0)
    }
  }
  return substituted(matrix)
}

/** The solution of an upper triangular n × (n + 1) matrix. */
function substituted(matrix: readonly Float64Array[]): number[] {
  const size = matrix.length
  const values = matrix.map(() => 0)
  for (let i = size - 1; i >= 0; i--) {
    const row = matrix[i]
    let sum = row?.[size] ?? 0
    for (let column = i + 1; column < size; column++) sum -= (row?.[column] ?? 0) * (values[column] ?? 0)
    values[i] = sum / (row?.[i] ?? 1)
  }
  return values
}

/** Brings the row with the largest value of the column to its place, and gives it. */
function pivoted(matrix: Float64Array[], column: number): Float64Array {
  let best = column
  for (let row = column + 1; row < matrix.length; row++)
    if (Math.abs(matrix[row]?.[column] ?? 0) > Math.abs(matrix[best]?.[column] ?? 0)) best = row
  const [chosen, swapped] = [matrix[best], matrix[column]]
  if (chosen === undefined || swapped === undefined || Math.abs(chosen[column] ?? 0) < 1e-300)
    throw new RangeError('the structure is not held: its matrix is singular')
  matrix[best] = swapped
  matrix[column] = chosen
  return chosen
}
